// A database of one's own: a copy of the migrated template, dropped at the end.
import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject } from 'vitest'
import { type Db, openDb } from '../../src/db/db.ts'

export interface TestDatabase {
  readonly db: Db
  readonly url: string
  /** Close the pool and drop the database. */
  drop(): Promise<void>
}

/** Make a database with every table, empty. Call it in beforeAll (or beforeEach), and `drop` in the matching after. */
export async function testDatabase(): Promise<TestDatabase> {
  const template = inject('postgresUrl')
  const name = `t_${randomBytes(6).toString('hex')}`
  const admin = template.replace(/\/saasm$/, '/postgres')
  await statement(admin, `create database ${name} template saasm`)
  const url = template.replace(/\/saasm$/, `/${name}`)
  const db = openDb(url)
  return {
    db,
    url,
    async drop() {
      await db.close(1)
      await statement(admin, `drop database ${name} with (force)`)
    },
  }
}

async function statement(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await sql.unsafe(text)
  } finally {
    await sql.end()
  }
}
