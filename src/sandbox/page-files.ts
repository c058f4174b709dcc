// The page's three files: from the build beside this file, or built in memory when running from source.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'

/** Nothing from elsewhere: scripts and styles are our own files, mails are shown in a frame with a policy of its own. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const types: Record<string, string> = {
  'page.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
}

let built: Promise<Map<string, string>> | undefined

/** Serve `/`, `/page.js` or `/page.css`; false for any other path. */
export async function pageFile(path: string, res: ServerResponse): Promise<boolean> {
  const name = path === '/' ? 'page.html' : path.slice(1)
  const type = types[name]
  if (type === undefined) return false
  built ??= load()
  const text = (await built).get(name) ?? ''
  res.writeHead(200, {
    'content-type': type,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  })
  res.end(text)
  return true
}

async function load(): Promise<Map<string, string>> {
  const folder = new URL('./page/', import.meta.url)
  if (existsSync(fileURLToPath(new URL('page.js', folder)))) {
    const names = Object.keys(types)
    const texts = await Promise.all(names.map(name => readFile(new URL(name, folder), 'utf8')))
    return new Map(names.map((name, at) => [name, texts[at] ?? '']))
  }
  // From source (tests, `node src/main.ts`): the build script is not compiled into dist, hence the address.
  const address = new URL('build.mjs', folder).href
  const build: { buildPage(): Promise<Map<string, string>> } = await import(/* @vite-ignore */ address)
  return build.buildPage()
}
