// Whose instances a database holds: asked before anything is changed in it.
import { openDb } from '../db/db.ts'

/** A Slack workspace other than `teamId` that has an instance in the database at `url`; undefined: none has, or it is a new database. */
export async function otherTeamIn(url: string, teamId: string): Promise<string | undefined> {
  const db = openDb(url, { connectionsMax: 1 })
  try {
    const [made] = await db.sql`select to_regclass('instance') as name`
    if (!made?.name) return undefined
    const [other] = await db.sql`select team_id from instance where team_id <> ${teamId} limit 1`
    return other && String(other.team_id)
  } finally {
    await db.close(1)
  }
}
