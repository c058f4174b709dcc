// What the workers of this room are handed: the rooms below and the settings, from app.ts.
import type { ShowProgress } from '../announce/progress.ts'
import type { Engine } from '../connectors/engine.ts'
import type { Db } from '../db/db.ts'
import type { Seal } from '../instances/seal.ts'
import type { Ring } from '../jobs/jobs.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { RunLimits } from './limits.ts'

export interface Work {
  db: Db
  clock: Clock
  log: Log
  engine: Engine
  seal: Seal
  ring: Ring
  showProgress: ShowProgress
  /** The sync channel (id or name); null: none. */
  channel: string | null
  /** Names this process in leases. */
  owner: string
  /** The longest single wait for a busy vendor within a run; a longer one gives the run back until then. */
  patienceMs: number
  /** `runLimits` unless told. */
  limits?: RunLimits
  /** How long a first load may keep its transaction open; 45,000 ms unless told. */
  loadWindowMs?: number
  /** How long all claims of a run together may read; 24 hours unless told. */
  readingMaxMs?: number
  /** Directories of fewer people are not remembered; 1,000 unless told. */
  rememberedFrom?: number
  /** How long people who vanished are kept, in days. */
  goneDays: number
}
