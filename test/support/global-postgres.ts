// One real Postgres for a test run: started by itself, migrated once into a template that each test file copies.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the template database. */
    postgresUrl: string
  }
}

export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'saasm-test-'))
  const server = await startEmbedded(folder, { fast: true })
  await migrate(server.url, 'drizzle/migrations')
  const sql = postgres(server.url.replace(/\/saasm$/, '/postgres'), { max: 1, onnotice: () => {} })
  await sql`alter database saasm with allow_connections false is_template true`
  await sql.end()
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
