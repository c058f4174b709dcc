// Socket Mode: the connection that Slack sends through, opened again for as long as it takes; an outage of Slack ends nobody.
import { SocketModeReceiver } from '@slack/bolt'
import type { Log } from '../lib/log.ts'
import { webOptions } from './client.ts'
import { sdkLog } from './sdk-log.ts'

/** A start waits so long for the connection, then goes on without it: what saasm does by itself needs no socket. */
const startMs = 5_000

export interface SlackSocket {
  readonly receiver: SocketModeReceiver
  /** Wait for the first connection, a while. Throws when Slack does not take the token. */
  opened(start: Promise<unknown>): Promise<void>
  isOpen(): boolean
}

export function createSocket(options: { appToken: string; apiUrl: string | null; log: Log }): SlackSocket {
  const { appToken, apiUrl, log } = options
  // The SDK takes a 5xx and a broken line for final once its own attempts are over, and rejects where nobody can hear it.
  const retryConfig = { forever: true, maxTimeout: 30_000, randomize: true, unref: true }
  const receiver = new SocketModeReceiver({
    appToken,
    logger: sdkLog(log),
    installerOptions: { clientOptions: { ...webOptions(apiUrl, log), retryConfig } },
  })
  let open = false
  receiver.client.on('connected', () => {
    open = true
  })
  receiver.client.on('close', () => {
    open = false
  })
  return {
    receiver,
    isOpen: () => open,
    async opened(start) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>(done => {
        timer = setTimeout(done, startMs, 'late')
      })
      const connected = start.catch((error: unknown) => {
        throw new Error(
          `Slack does not take SLACK_APP_TOKEN (${codeOf(error)}): make an app-level token with connections:write in Basic Information`,
        )
      })
      // A refusal that comes later is heard by nobody, which ends the process as one that comes now does.
      if ((await Promise.race([connected, late]).finally(() => clearTimeout(timer))) === 'late')
        void connected.then(() => {})
    },
  }
}

function codeOf(error: unknown): string {
  const { data, message } = (error ?? {}) as { data?: { error?: string }; message?: string }
  return data?.error ?? message ?? String(error)
}
