// What Slack's SDK says goes into the log as everything else does, and not beside it.
import { type Logger, LogLevel } from '@slack/web-api'
import type { Log } from '../lib/log.ts'

/** Bolt's and the SDK's own lines, at the level they deserve here: their warnings are ours to look at tomorrow. */
export function sdkLog(log: Log): Logger {
  const say =
    (level: 'debug' | 'warn' | 'error') =>
    (...words: unknown[]) =>
      log[level](
        { from: 'slack' },
        words.map(word => (word instanceof Error ? word.message : String(word))).join(' '),
      )
  return {
    debug: () => {},
    info: say('debug'),
    warn: say('warn'),
    error: say('error'),
    setLevel: () => {},
    getLevel: () => LogLevel.WARN,
    setName: () => {},
  }
}
