// Forgetting one person: their own rows go, their traces in what is kept are taken out, and what is left is said.
import { sql } from 'drizzle-orm'
import { forgetAccounts } from '../accounts/forget.ts'
import { forgetBodies, forgetTellings } from '../announce/forget.ts'
import { appendAudit } from '../audit/store.ts'
import type { Conn, Db, Tx } from '../db/db.ts'
import { instanceById } from '../instances/store.ts'
import { forgetRecipient } from '../recipients/forget.ts'
import { type Traces, withoutTraces } from './person.ts'

export interface Forgotten {
  /** What was taken out and from where, one sentence each; empty: saasm knew nothing of them. */
  taken: string[]
  /** What a person has to do or know beyond that, one sentence each. */
  left: string[]
}

/** Tables that are not cleaned cell by cell, and why. */
const notCleaned = [
  // The pages of a sync under way: dropped when it ends, and their rows must stay what was hashed.
  'account_staging',
  // What a connection needs to work; `left` says which.
  'instance',
]
/** Columns that are dealt with by their room. */
const dealtWith = ['outbox.rendered']
/** Rows of one table that are looked through; beyond it `left` says that somebody is to look. */
const rowsMax = 100_000

/**
 * Take the person of this address out of everything, in one transaction. The database role must own the tables: audit rows
 * are for the app to append to only. Asking twice finds nothing the second time.
 */
export async function forgetPerson(db: Db, typed: string): Promise<Forgotten> {
  const email = typed.trim().toLowerCase()
  return db.transaction(async tx => {
    const taken: string[] = []
    const left: string[] = []
    const take = (n: number, what: string) => void (n > 0 && taken.push(`${n} ${what}`))

    const accounts = await forgetAccounts(tx, email)
    const traces = { email, names: accounts.names }
    take(accounts.accounts, 'in account: who has an account where')
    take(accounts.problems, 'in account_problem: rows of a sync that could not be read')
    for (const id of accounts.instanceIds) {
      const instance = await instanceById(tx, id)
      if (instance?.status === 'live')
        left.push(
          `${instance.name} brings them back at its next sync unless they are deleted in ${instance.connector} first.`,
        )
    }
    const recipient = await forgetRecipient(tx, email)
    take(recipient.lists, 'in recipient: lists of who is told by e-mail')
    take(recipient.drafts, 'in recipient_draft: lists being edited')
    take(await forgetTellings(tx, email), 'in outbox: tellings to their address')
    const bodies = await forgetBodies(tx, [email, ...accounts.names])
    take(bodies.bodies, 'in outbox: bodies that named them')
    if (bodies.beingSent > 0) left.push('A mail that names them is being sent: run this again in a minute.')
    for (const { table, columns } of await textColumns(tx))
      take(
        await cleanTable(tx, { table, columns, traces }),
        `in ${table}: mentions, replaced by “(forgotten)”`,
      )
    left.push(...(await leftOver(tx, email)))
    if (taken.length > 0) await writeDown(tx, taken)
    return { taken, left }
  })
}

/** What was forgotten, for the person who asked. */
export function said({ taken, left }: Forgotten): string {
  const outside =
    'Not reached from here: messages in Slack, mails that were sent, backups of the database, and logs. Slack user ids stay.'
  const first =
    taken.length > 0
      ? ['Taken out:', ...taken.map(line => `  ${line}`)]
      : ['saasm knows nothing of this address.']
  const then = left.length > 0 ? ['Left for you:', ...left.map(line => `  ${line}`)] : []
  return [...first, ...then, outside].join('\n')
}

/** What was done is written down for each team, without the address. */
async function writeDown(tx: Tx, taken: readonly string[]): Promise<void> {
  const teams = await tx.execute<{ team_id: string }>(sql`select distinct team_id from instance`)
  for (const { team_id } of teams)
    await appendAudit(tx, {
      teamId: team_id,
      actor: 'saasm',
      source: 'operator',
      action: 'person.forgotten',
      after: { taken: [...taken] },
    })
}

interface TextColumns {
  table: string
  columns: string[]
}

/** Every text and JSON column of our tables, as the database knows them: one that is added later is cleaned, too. */
async function textColumns(conn: Conn): Promise<TextColumns[]> {
  const rows = await conn.execute<{ table: string; columns: string[] }>(sql`
    select c.table_name as table, array_agg(c.column_name::text order by c.ordinal_position) as columns
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
      and (c.data_type in ('text', 'jsonb', 'character varying') or c.udt_name = '_text')
      and c.table_name || '.' || c.column_name not in ${dealtWith}
    group by c.table_name order by c.table_name`)
  return rows.filter(({ table }) => !notCleaned.includes(table)).map(row => ({ ...row }))
}

/** Clean the cells of one table that hold a trace; returns how many rows were changed. */
async function cleanTable(tx: Tx, of: TextColumns & { traces: Traces }): Promise<number> {
  const { table, columns, traces } = of
  const holding = sql.join(
    [traces.email, ...traces.names].map(
      text =>
        sql`strpos(lower(jsonb_build_array(${cells(columns)})::text), lower(${JSON.stringify(text).slice(1, -1)})) > 0`,
    ),
    sql` or `,
  )
  const rows = await tx.execute<{ ctid: string; row: Record<string, unknown> }>(sql`
    select ctid::text, to_jsonb(t) as row from ${sql.identifier(table)} t where ${holding} limit ${rowsMax}`)
  let changed = 0
  for (const { ctid, row } of rows) {
    const cleaned = columns.filter(column => withoutTraces(row[column], traces) !== row[column])
    if (cleaned.length === 0) continue
    const cellsNow = Object.fromEntries(cleaned.map(column => [column, withoutTraces(row[column], traces)]))
    const assignments = sql.join(
      cleaned.map(column => sql`${sql.identifier(column)} = n.${sql.identifier(column)}`),
      sql`, `,
    )
    // Read through the table's own row type, so that each cell keeps its type.
    await tx.execute(sql`
      update ${sql.identifier(table)} t set ${assignments}
      from jsonb_populate_record(null::${sql.identifier(table)}, ${JSON.stringify(cellsNow)}::jsonb) n
      where t.ctid = ${ctid}::tid`)
    changed += 1
  }
  return changed
}

/** Where the address still stands after all, and what helps. */
async function leftOver(tx: Tx, email: string): Promise<string[]> {
  const near = await tx.execute<{ name: string; settings: unknown }>(sql`
    select name, settings from instance where deleted_at is null and strpos(lower(settings::text), ${email}) > 0 order by name`)
  const settings = near.filter(one => withoutTraces(one.settings, { email, names: [] }) !== one.settings)
  const staged = await tx.execute(sql`select 1 from account_staging where lower(email) = ${email} limit 1`)
  return [
    ...settings.map(
      ({ name }) => `${name} signs in to its application with this address: change it in Edit Instance.`,
    ),
    ...(staged.length > 0 ? ['A sync that lists them is under way: run this again when it has ended.'] : []),
  ]
}

function cells(columns: readonly string[]) {
  return sql.join(
    columns.map(column => sql`t.${sql.identifier(column)}`),
    sql`, `,
  )
}
