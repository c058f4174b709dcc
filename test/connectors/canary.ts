// Canaries: the secrets that a test has planted, and how they are looked for, in every form that they could come out in.
import { inspect } from 'node:util'
import { type Connector, type Credentials, fieldsOf } from '../../src/connectors/connector.ts'

/** The values of the secret fields; of a key of several lines those that are long enough to be told from others. */
export function secretsOf(connector: Connector, credentials: Credentials): string[] {
  const files = fieldsOf(connector).filter(({ file }) => file)
  // Of a file what is read is told on purpose: its first lines as they stand, and the word in a column that is not read.
  const ofFiles = files.flatMap(({ key }) => [
    ...new Set((credentials[key] ?? '').match(/[\w-]*(secret|canary)[\w-]*/g)),
    ...(credentials[key] ?? '').split(/\r?\n/).slice(0, 3),
  ])
  return fieldsOf(connector)
    .filter(field => field.secret && !field.file)
    .flatMap(({ key }) => (credentials[key] ?? '').split('\n'))
    .concat(ofFiles)
    .filter(line => line.length >= 8 && !line.startsWith('-----'))
}

/** Plain, in a URL, in JSON, and in base64 wherever in a longer text it stood. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  // Three bytes are four letters: with one or two letters before it, the first and last letters are another's as well.
  const shifted = [0, 1, 2].map(before => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(before === 0 ? 0 : 4, Math.floor(((before + bytes.length) * 4) / 3) - 1)
  })
  const forms = [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(encodeURIComponent(secret)),
    new URLSearchParams({ x: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    bytes.toString('hex'),
    ...shifted,
    ...shifted.map(text => text.replaceAll('+', '-').replaceAll('/', '_')),
  ]
  return [...new Set(forms)]
}

/** Where each of these texts says one of the secrets; empty when none does. */
export function leaksIn(places: Readonly<Record<string, string>>, secrets: Iterable<string>): string[] {
  const forms = [...secrets].flatMap(secret => formsOf(secret).map(form => ({ secret, form })))
  return Object.entries(places).flatMap(([place, text]) =>
    forms
      .filter(({ form }) => text.includes(form))
      .map(({ form }) => {
        const at = text.indexOf(form)
        return `${place}: …${text.slice(Math.max(0, at - 60), at)}[${form}]…`
      }),
  )
}

/** Everything that an error could say: its own words, its stack, its causes, and whatever hangs on them. */
export function saidBy(error: unknown): string {
  const options = { depth: Infinity, showHidden: true, maxStringLength: Infinity, maxArrayLength: Infinity }
  const causes: string[] = []
  for (let at: unknown = error; at instanceof Error && causes.length < 20; at = at.cause)
    causes.push(at.message, at.stack ?? '', JSON.stringify({ ...at }))
  return [inspect(error, options), ...causes].join('\n')
}
