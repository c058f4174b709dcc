// ProviderError: what a vendor did to us, named by who must act. Nothing a vendor wrote is shown unless it names a permission.
import { cleanText } from '../lib/text.ts'

/**
 * Who must act: `credentials` the admin renews the token, `permission` the admin grants what `missing` names,
 * `settings` the admin mends a host or tenant, `busy` nobody (wait until `until`), `broken` the vendor or the network,
 * `unreadable` we do (the answer was of the wrong shape).
 */
export type ProviderProblem = 'credentials' | 'permission' | 'settings' | 'busy' | 'broken' | 'unreadable'

const textMax = 1_000
const wordMax = 200
const missingMax = 50

export interface ProviderErrorFacts {
  /** For people: what happened, short, without any secret or vendor body. */
  message: string
  /** For the log: method, path, status, vendor code. Never a secret, never a body. */
  detail: string
  /** The permissions that are missing, in the vendor's own words; empty when unknown. */
  missing?: string[]
  /** For `busy`: when the vendor said to come back. */
  until?: Date
  /** The credential field to mend (a key of the connector's credentials), when it is known. */
  field?: string
  cause?: unknown
}

/** One row of a list that cannot be taken; its message is ours, for people. */
export class RowRefused extends Error {}

export class ProviderError extends Error {
  readonly problem: ProviderProblem
  readonly detail: string
  readonly missing: readonly string[]
  readonly until: Date | undefined
  readonly field: string | undefined

  constructor(problem: ProviderProblem, facts: ProviderErrorFacts) {
    super(cleanText(facts.message, textMax), { cause: facts.cause })
    this.name = 'ProviderError'
    this.problem = problem
    this.detail = cleanText(facts.detail, textMax)
    // In the vendor's own words: whatever they hold, the failure must be stored and told.
    this.missing = (facts.missing ?? [])
      .map(word => cleanText(word, wordMax).trim())
      .filter(word => word !== '')
      .slice(0, missingMax)
    this.until = facts.until
    this.field = facts.field
  }
}
