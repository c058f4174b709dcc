// Outcome: how a run ended, and, for a failure, who must act and what saasm does next.
import type { ProviderProblem } from '../connectors/errors.ts'

export interface Fault {
  /** What makes two failures the same one: `credentials`, `permission:a,b`, `busy`, … */
  code: string
  problem: ProviderProblem | 'internal'
  /** For people: what happened. */
  message: string
  /** For the log. */
  detail: string
  missing: string[]
  /** A reference shown to the person and logged with the cause. */
  reference: string
}
