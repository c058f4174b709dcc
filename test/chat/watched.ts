// A world with an instance of ours and one of another team, a forger, and an eye on everything that a gesture could change.
import { newId } from '../../src/lib/ids.ts'
import { readable, startWorld, type WorldOptions } from '../support/world.ts'
import { createForge, type Forged } from './forge.ts'

/** What a gesture could change; not the audit, in which refusals are written down. */
const tables = [
  ...['instance', 'account', 'recipient', 'recipient_draft'],
  ...['removal', 'sync_run', 'outbox', 'incident'],
]

/** The id of another team's instance. */
export const foreign = newId()

/** All instances are Inactive, Ada's, and hold one user each, so that nothing changes by itself. */
export async function startWatched(options: WorldOptions = {}) {
  const world = await startWorld(options)
  const forge = await createForge(world)
  const [ours, neighbour] = [newId(), newId()]
  const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
  for (const [id, team, name] of [
    [ours, world.person('Ada').state().team.id, 'ours'],
    [neighbour, world.person('Ada').state().team.id, 'neighbour'],
    [foreign, 'T0OTHER', 'foreign'],
  ] as const) {
    await rows(
      `insert into instance (id, team_id, name, connector, status, inactive_reason, owner, created_by, last_outcome, settings, created_at, updated_at)
       values ($1, $2, $3, 'okta', 'inactive', 'user', 'U0ADA', 'U0ADA', 'succeeded', '{"domain": "https://acme.okta.com"}', now(), now())`,
      ...[id, team, name],
    )
    await rows(
      "insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at) values ($1, 'a', 'active', 'human', '{}', '{}', '', now())",
      id,
    )
  }
  return {
    world,
    forge,
    ours,
    neighbour,
    rows,
    /** All of it, as text. */
    async everything(): Promise<string> {
      const texts = await Promise.all(tables.map(table => rows(`select t::text from ${table} t order by 1`)))
      return texts.map((found, at) => `${tables[at]}: ${JSON.stringify(found)}`).join('\n')
    },
    /** Post a window of ours as filled in by `by`; what Slack is told to show instead. */
    async submitted(by: Forged, callbackId: string, metadata: unknown): Promise<string> {
      const values = { name: { name: { type: 'plain_text_input', value: 'stolen' } } }
      const answer = await forge.submit(by, { callbackId, metadata, values })
      if (!answer.ok) throw new Error(answer.reason)
      const { errors } = answer.body as { errors?: unknown }
      return `${readable(answer.body)} ${JSON.stringify(errors ?? '')}`
    },
    async close(): Promise<void> {
      forge.stop()
      await world.close()
    },
  }
}

export type Watched = Awaited<ReturnType<typeof startWatched>>
