// Which Web API methods the code calls, read from its text, and which scope each needs: the stand-in's own table, the one place.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebClient } from '@slack/web-api'
import { parse } from 'yaml'
import { fileMethods } from '../../src/sandbox/slack/file-methods.ts'
import { historyMethods } from '../../src/sandbox/slack/history-methods.ts'
import { methods } from '../../src/sandbox/slack/web-api.ts'

/** What one function of the SDK calls when it is not the method of its own name. */
const behind: Record<string, readonly string[]> = {
  filesUploadV2: ['files.getUploadURLExternal', 'files.completeUploadExternal'],
  'files.uploadV2': ['files.getUploadURLExternal', 'files.completeUploadExternal'],
}

/** What Bolt and the SDK call by themselves. */
export const calledByBolt = ['apps.connections.open', 'auth.test']

const client = new WebClient('xoxb-none') as unknown as Record<string, unknown>
const families = Object.keys(client).filter(key => client[key] && typeof client[key] === 'object')

/** Every method that this text calls on a client, in whatever variable it is held. Throws for a call whose method it cannot read. */
export function callsIn(text: string): string[] {
  const dotted = [...text.matchAll(/[.?]\s*((?:[a-z]\w*\s*\??\.\s*)+[a-z]\w*)\s*\(/gi)].map(match =>
    (match[1] ?? '').replaceAll(/[\s?]/g, ''),
  )
  // Of `this.web.chat.postMessage(` the part from the family on.
  const tails = dotted.flatMap(path => {
    const parts = path.split('.')
    return parts.map((_, at) => parts.slice(at).join('.'))
  })
  const direct = tails.filter(path => families.includes(path.split('.')[0] ?? '') && isFunction(path))
  const named = [
    ...text.matchAll(/\.\s*(apiCall|paginate)\s*\(\s*(?:'([\w.]+)'|"([\w.]+)"|`([\w.]+)`)?/g),
  ].map(match => {
    const method = match[2] ?? match[3] ?? match[4]
    if (!method) throw new Error(`${match[1]} is called with a method that only the run knows`)
    return method
  })
  const uploads = /\.\s*filesUploadV2\s*\(/.test(text) ? ['filesUploadV2'] : []
  return [...direct, ...named, ...uploads].flatMap(method => behind[method] ?? [method])
}

function isFunction(path: string): boolean {
  let at: unknown = client
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return false
    at = (at as Record<string, unknown>)[part]
  }
  return typeof at === 'function'
}

/** Every method that src calls, the sandbox aside. */
export function calledMethods(): ReadonlySet<string> {
  const files = (readdirSync('src', { recursive: true }) as string[]).filter(
    name => /\.tsx?$/.test(name) && !name.startsWith('sandbox/'),
  )
  return new Set(files.flatMap(name => callsIn(readFileSync(join('src', name), 'utf8'))))
}

/** The scope that a method needs; null: none; undefined: the stand-in does not know it. */
export function scopeOf(method: string): string | null | undefined {
  return (methods[method] ?? fileMethods[method] ?? historyMethods[method])?.scope
}

/** The bot scopes that manifest.yml asks for. */
export function manifestScopes(): string[] {
  const manifest = parse(readFileSync('manifest.yml', 'utf8')) as {
    oauth_config: { scopes: { bot: string[] } }
  }
  return manifest.oauth_config.scopes.bot
}
