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
  const options = { level, redact: { paths, censor: '[redacted]' }, base: null }
  return out ? pino(options, out) : pino(options)
}

/** A log that drops everything: for tests. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
