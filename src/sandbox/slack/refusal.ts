// Refusal: what Slack's Web API answers with `ok: false`, thrown inside the stand-in and turned into an answer at its door.

export class Refusal extends Error {
  /** Slack's error string. */
  readonly code: string
  /** `response_metadata.messages`, with JSON pointers. */
  readonly messages: readonly string[]
  /** Further fields of the answer: `needed`, `provided`. */
  readonly extra: Readonly<Record<string, unknown>>
  /** For 429. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: string,
    more: {
      messages?: readonly string[]
      extra?: Readonly<Record<string, unknown>>
      retryAfterSeconds?: number
    } = {},
  ) {
    super(code)
    this.name = 'Refusal'
    this.code = code
    this.messages = more.messages ?? []
    this.extra = more.extra ?? {}
    this.retryAfterSeconds = more.retryAfterSeconds
  }
}
