// Incident: from the first failure of an instance to its recovery; one open one an instance, one message a channel.
import { and, eq, isNull } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { newId } from '../lib/ids.ts'
import { incidentTable } from './table.ts'

/** What an announcement does to the instance's incident. */
export type IncidentStep = 'open' | 'continue' | 'resolve' | 'none'

/** Take the step; `id` is the incident it belongs to, `fresh` whether it has no message yet. */
export async function stepIncident(
  tx: Tx,
  instanceId: string,
  step: { step: IncidentStep; faultCode: string; now: Date },
): Promise<{ id: string; fresh: boolean } | null> {
  if (step.step === 'none') return null
  const open = and(eq(incidentTable.instanceId, instanceId), isNull(incidentTable.closedAt))
  const change = step.step === 'resolve' ? { closedAt: step.now } : { faultCode: step.faultCode }
  const [going] = await tx.update(incidentTable).set(change).where(open).returning({ id: incidentTable.id })
  if (going) return { id: going.id, fresh: false }
  if (step.step === 'resolve') return null
  const id = newId()
  await tx.insert(incidentTable).values({ id, instanceId, openedAt: step.now, faultCode: step.faultCode })
  return { id, fresh: true }
}
