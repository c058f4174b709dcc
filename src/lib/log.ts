// Logging: one JSON line an event. error is ours and wakes someone, warn is for tomorrow, a user's own mistake is info.
import { pino } from 'pino'

/** What every room logs through: an object of facts first, then a sentence. Never put a secret in either. */
export interface Log {
  debug(facts: object, sentence: string): void
  info(facts: object, sentence: string): void
  warn(facts: object, sentence: string): void
  error(facts: object, sentence: string): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Keys whose values never reach a log line, at any of the first three depths. */
const secretKeys = [
  'token',
  'secret',
  'password',
  'authorization',
  'credentials',
  'sealed',
  'apiKey',
  'signingSecret',
]

/** A log that writes JSON lines to standard output, or to `out`. */
export function createLog(level: LogLevel, out?: { write(line: string): void }): Log {
  const paths = secretKeys.flatMap(key => [key, `*.${key}`, `*.*.${key}`])
  const options = {
    level,
    redact: { paths, censor: '[redacted]' },
    base: null,
    serializers: { err: errorFacts, reason: (reason: unknown) => brief(String(reason)) },
  }
  return out ? pino(options, out) : pino(options)
}

const textMax = 2_000
const framesMax = 20
/** What a database's error quotes of rows: people's names and addresses, thousands of them when many were written. */
const quoting = new Set(['params', 'parameters', 'args', 'detail', 'where'])

/** An error for the log: its words, code and stack, and those of its causes, without the rows that it quotes. */
function errorFacts(error: unknown): unknown {
  if (!(error instanceof Error)) return brief(String(error))
  const own = Object.entries(error).filter(
    ([name, value]) => !quoting.has(name) && /^(string|number|boolean)$/.test(typeof value),
  )
  const frames = (error.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  return {
    ...Object.fromEntries(
      own.map(([name, value]) => [name, typeof value === 'string' ? brief(value) : value]),
    ),
    type: error.name === 'Error' ? error.constructor.name : error.name,
    message: brief(error.message),
    stack: frames.slice(0, framesMax).join('\n'),
    ...(error.cause === undefined ? {} : { cause: errorFacts(error.cause) }),
  }
}

/** Without the parameters that drizzle puts behind its statement, and of a bounded length. */
function brief(text: string): string {
  const [said = ''] = text.split('\nparams: ', 1)
  return said.length > textMax ? `${said.slice(0, textMax)} … (${said.length} characters)` : said
}

/** A log that drops everything: for tests. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
