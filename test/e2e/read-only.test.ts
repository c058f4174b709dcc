// The production start on a read-only machine: the built app may write no file at all, and works all the same.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { key, type Stage, stageOn } from '../faults/stage.ts'
import { type RestrictedDatabase, restrictedDatabase } from '../support/postgres.ts'

// Node's own permissions hold also for root, whom no file mode would stop: reads anywhere, writes nowhere, no other program.
const flag = Number(process.versions.node.split('.')[0]) >= 23 ? '--permission' : '--experimental-permission'
const sealed = { NODE_OPTIONS: `${flag} --allow-fs-read=* --no-warnings`, NODE_ENV: 'production' }
const keys = [key, randomBytes(32)].map(one => one.toString('base64'))

let database: RestrictedDatabase
let stage: Stage
beforeAll(async () => {
  database = await restrictedDatabase()
  stage = await stageOn(database.url, {
    workerUrl: database.appUrl,
    env: sealed,
  })
})
afterAll(async () => {
  await stage.close()
  await database.drop()
})

/** One of the app's commands, in an empty folder; what it said. */
async function command(word: string, env: Record<string, string>): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'saasm-command-'))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [resolve('dist/main.js'), word], {
      cwd,
      env: {
        ...sealed,
        SLACK_BOT_TOKEN: 'xoxb-1',
        SLACK_SIGNING_SECRET: 'not-used-here',
        RESEND_API_KEY: 're_1',
        SAASM_EMAIL_FROM: 'saasm@acme.example',
        SAASM_SECRET_KEY: keys[0] ?? '',
        DATABASE_URL: database.appUrl,
        ...env,
      },
    })
    expect(readdirSync(cwd)).toEqual([])
    return stdout
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

test('the permission itself bites: without the right to write, a write fails', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'saasm-bite-'))
  mkdirSync(join(cwd, 'x'))
  const script = "require('node:fs').writeFileSync('planted', '')"
  await expect(promisify(execFile)(process.execPath, ['-e', script], { cwd, env: sealed })).rejects.toThrow(
    /ERR_ACCESS_DENIED/,
  )
  rmSync(cwd, { recursive: true })
})

test('the schema is made under the migrator’s role, and then the app starts, syncs and tells without one and without a file', async () => {
  expect(await command('migrate', { DATABASE_MIGRATION_URL: database.ownerUrl })).toMatch(/up to date/)
  const worker = await stage.worker()
  expect((await fetch(`${worker.url}/readyz`)).status).toBe(200)
  const vendor = stage.vendor(30)
  const instance = await stage.instance(vendor)
  await stage.ask(instance.id)
  await stage.quiet(60_000)
  expect(await stage.users(instance.id)).toHaveLength(30)
  expect(stage.told(instance.name)).toBe(1)
  expect(stage.mailed(instance.name)).toBe(1)
  worker.signal('SIGTERM')
  expect(await worker.ended).toEqual({ code: 0, signal: null })
  expect(worker.log()).not.toMatch(/ERR_ACCESS_DENIED/)
})

test('the doctor and a rotation of keys work there, too, and say what they did', async () => {
  expect(await command('doctor', { DATABASE_URL: database.doctorUrl })).toMatch(/^All is well/)
  const rotated = await command('rotate-keys', { SAASM_SECRET_KEY: `${keys[1]},${keys[0]}` })
  expect(rotated).toMatch(
    /^1 instance was sealed anew with key \S+; 0 had been already\.\nKey \S+ seals nothing any more/,
  )
  expect(await command('rotate-keys', { SAASM_SECRET_KEY: keys[1] ?? '' })).toMatch(
    /^0 instances were sealed anew/,
  )
  await expect(command('rotate-keys', { SAASM_SECRET_KEY: keys[0] ?? '' })).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/could not be opened[\s\S]*okta-\w+ .* needs key/),
  })
})

test('the image runs as a user without rights, on a root that cannot be written', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  expect(last).toMatch(/^USER node$/m)
  expect(last.indexOf('\nUSER node')).toBeLessThan(last.indexOf('\nCMD'))
  expect(last, 'the doctor’s questions are in it').toMatch(/^COPY drizzle\/doctor\.sql /m)
  const compose = readFileSync('compose.yaml', 'utf8')
  for (const line of ['read_only: true', 'cap_drop: [ALL]', 'no-new-privileges:true'])
    expect(compose).toContain(line)
})
