// Asking for one page after another, and refusing to go round, to go elsewhere or to go on forever.
import { hash } from 'node:crypto'
import { type Asked, providerError } from './answers.ts'
import type { Answered } from './call.ts'
import type { Req } from './connector.ts'
import type { CutFrom } from './cut-list.ts'
import { addressOf } from './target.ts'

const pagesMax = 20_000

export interface AskHow {
  /** The query key of the page size, halved on timeouts and 5xx. */
  sizeKey?: string | undefined
  /** The answer's list may be cut, and some of its chunks may be known. */
  cutFrom?: CutFrom | undefined
}

export type Ask = (req: Req, scopes: readonly string[], how?: AskHow) => Promise<Answered>

/** Throws `unreadable` for a request already made, for another origin, and after `pagesMax`. */
export function refuseLoop(
  asked: Asked,
  next: Req,
  seen: { origin: string; requests: Set<string>; page: number },
): void {
  const refuse = (why: string) => providerError(asked, 'unreadable', `${asked.what} ${why}`)
  const base = asked.connector.base(asked.credentials)
  if (addressOf(base, next)?.origin !== seen.origin) throw refuse('next link to another origin')
  // A cursor may be kilobytes, and there may be thousands of them.
  const request = hash('sha256', JSON.stringify(next), 'base64url')
  if (seen.requests.has(request)) throw refuse('next request already made')
  if (seen.page > pagesMax) throw refuse(`more than ${pagesMax} pages`)
  seen.requests.add(request)
}
