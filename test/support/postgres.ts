// A database of one's own: a copy of the migrated template, dropped at the end.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
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

/** A test database whose roles are those of docs/database-roles.sql: empty, and made by its own migrator. */
export interface RestrictedDatabase extends TestDatabase {
  /** May change the schema. */
  readonly ownerUrl: string
  /** What the app is started with. */
  readonly appUrl: string
  /** Reads only. */
  readonly doctorUrl: string
}

/** Make an empty database with roles of its own; `db` and `url` are the superuser's, for a test that looks. */
export async function restrictedDatabase(): Promise<RestrictedDatabase> {
  const template = inject('postgresUrl')
  const name = `t_${randomBytes(6).toString('hex')}`
  const admin = template.replace(/\/saasm$/, '/postgres')
  await statement(admin, `create database ${name}`)
  const url = template.replace(/\/saasm$/, `/${name}`)
  // Roles are the whole server's: each database has its own here.
  const roles = (await readFile('docs/database-roles.sql', 'utf8')).replaceAll(
    /saasm_(owner|app|doctor)/g,
    `${name}_$1`,
  )
  const passwords = ['owner', 'app', 'doctor'].map(role => `alter role ${name}_${role} password 'test';`)
  // Twice: what was run once may be run again.
  await statement(url, roles)
  await statement(url, `${roles}\n${passwords.join('\n')}`)
  const urlOf = (role: string) => {
    const as = new URL(url)
    Object.assign(as, { username: `${name}_${role}`, password: 'test' })
    return as.href
  }
  const db = openDb(url)
  return {
    db,
    url,
    ownerUrl: urlOf('owner'),
    appUrl: urlOf('app'),
    doctorUrl: urlOf('doctor'),
    async drop() {
      await db.close(1)
      await statement(admin, `drop database ${name} with (force)`)
      for (const role of ['owner', 'app', 'doctor']) await statement(admin, `drop role ${name}_${role}`)
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
