// The mailer: Resend behind one call that says what became of a mail. The same key and the same bytes never make two mails.
import { Resend } from 'resend'

export interface OutgoingMail {
  to: string
  subject: string
  html: string
  text: string
  /** Kept by Resend for 24 hours: a second send under it answers with the first. */
  key: string
}

export type SendResult =
  | { kind: 'sent'; id: string }
  /** A rate: nothing was sent. */
  | { kind: 'later'; afterMs: number; reason: string }
  /** The quota is used up: nothing was sent, nor will be for some hours. */
  | { kind: 'used-up'; afterMs: number; reason: string }
  /** Resend does not know the key: nothing was sent, and whoever runs saasm can mend that. */
  | { kind: 'locked-out'; reason: string }
  /** It may have been sent: only the same key and bytes may go out again. */
  | { kind: 'ambiguous'; reason: string }
  /** It will never be sent as it is. */
  | { kind: 'never'; reason: string }

export interface Mailer {
  send(mail: OutgoingMail): Promise<SendResult>
}

export interface MailerOptions {
  apiKey: string
  /** `saasm <saasm@example.com>`; its domain is verified in Resend. */
  from: string
  timeoutMs: number
  baseUrl?: string
}

const hourMs = 3_600_000

export function createMailer(options: MailerOptions): Mailer {
  const resend = new Resend(options.apiKey, options.baseUrl ? { baseUrl: options.baseUrl } : {})
  return {
    async send({ key, ...mail }) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>(done => {
        timer = setTimeout(() => done('late'), options.timeoutMs)
      })
      const payload = { from: options.from, ...mail, to: [mail.to] }
      const sending = resend.emails.send(payload, { idempotencyKey: key }).catch((error: unknown) => error)
      const answer = await Promise.race([sending, late]).finally(() => clearTimeout(timer))
      if (answer === 'late') return { kind: 'ambiguous', reason: 'Resend did not answer in time' }
      return resultOf(answer as Answer)
    },
  }
}

/** What stands in for a mailer when Resend is not configured. */
export function createNoMailer(): Mailer {
  return { send: async () => ({ kind: 'never', reason: notSetUp }) }
}

export const notSetUp = 'E-mail is not set up'
/** Resend words it in several ways. */
const keyRefused = 'Resend: invalid_api_key'

interface Answer {
  data?: { id: string } | null
  error?: { name?: string; message?: string; statusCode?: number | null } | null
  headers?: Record<string, string> | null
}

function resultOf(answer: Answer): SendResult {
  if (answer.data?.id) return { kind: 'sent', id: answer.data.id }
  const name = answer.error?.name ?? 'unknown'
  const status = answer.error?.statusCode ?? 0
  const reason = `Resend: ${name}`
  if (name === 'concurrent_idempotent_requests') return { kind: 'later', afterMs: 2_000, reason }
  if (/quota/.test(name)) return { kind: 'used-up', afterMs: hourMs, reason }
  if (status === 401 || /api_key$/.test(name)) return { kind: 'locked-out', reason: keyRefused }
  if (status === 429) return { kind: 'later', afterMs: retryAfterMs(answer.headers), reason }
  // A key with other bytes is a bug of ours: another key would send a second mail.
  const definite = status >= 400 && status < 500
  return definite ? { kind: 'never', reason } : { kind: 'ambiguous', reason }
}

function retryAfterMs(headers: Record<string, string> | null | undefined): number {
  const seconds = Number(headers?.['retry-after'] ?? headers?.['ratelimit-reset'] ?? 1)
  return Math.min(Math.max(Number.isFinite(seconds) ? seconds : 1, 1) * 1000, hourMs)
}
