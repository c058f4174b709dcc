// Removal: users taken out of reporting, in batches, in the background; asked for by Delete All Users or Delete Instance.
import type { removalTable } from './table.ts'

export type RemovalKind = 'users' | 'instance'
export type RemovalState = 'requested' | 'running' | 'done'
export type Removal = typeof removalTable.$inferSelect
