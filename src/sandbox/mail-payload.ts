// What Resend asks of the body of POST /emails, and how it words what is wrong with it.

export interface MailPayload {
  from: string
  to: string | string[]
  subject: string
  html?: string
  text?: string
  headers?: Record<string, string>
  tags?: { name: string; value: string }[]
}

/** Resend's documented limit of addresses a mail. */
const addressesMax = 50
const address =
  /^(?:[^<>\r\n]*<[^@\s<>]+@[^@\s<>.]+(?:\.[^@\s<>.]+)+>|[^@\s<>,]+@[^@\s<>.,]+(?:\.[^@\s<>.,]+)+)$/

/** What Resend would say of this body (JSON text); undefined when it would send it. */
export function payloadProblem(raw: string): { name: string; message: string } | undefined {
  const body = parse(raw)
  if (body === undefined) return invalid('The request body is not a JSON object.')
  const missing = ['from', 'to', 'subject'].find(
    field => body[field] === undefined || body[field] === null || body[field] === '',
  )
  if (missing) return { name: 'missing_required_field', message: `Missing \`${missing}\` field.` }
  if (body.html === undefined && body.text === undefined) {
    return { name: 'missing_required_field', message: 'Missing `html` or `text` field.' }
  }
  if (typeof body.from !== 'string' || !address.test(body.from)) {
    return invalid(
      'Invalid `from` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.',
    )
  }
  return toProblem(body.to) ?? contentProblem(body)
}

function toProblem(to: unknown) {
  const all: unknown[] = Array.isArray(to) ? to : [to]
  if (all.length < 1 || all.length > addressesMax) {
    return invalid(`The \`to\` field must have between 1 and ${addressesMax} addresses.`)
  }
  return all.every(one => typeof one === 'string' && address.test(one))
    ? undefined
    : invalid(
        'Invalid `to` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.',
      )
}

function contentProblem(body: Record<string, unknown>) {
  const field = ['subject', 'html', 'text'].find(
    key => body[key] !== undefined && typeof body[key] !== 'string',
  )
  if (field) return invalid(`The \`${field}\` field must be a \`string\`.`)
  if (/[\r\n]/.test(String(body.subject))) return invalid('The `\\n` is not allowed in the `subject` field.')
  const tags: unknown = body.tags ?? []
  // Resend: tag names and values hold ASCII letters, numbers, underscores and dashes, 256 characters at most.
  const good = Array.isArray(tags) && tags.every(tag => word(tag?.name) && word(tag?.value))
  return good
    ? undefined
    : invalid('Tags should only contain ASCII letters, numbers, underscores, or dashes.')
}

function word(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]{1,256}$/.test(value)
}

function invalid(message: string) {
  return { name: 'validation_error', message }
}

function parse(raw: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
