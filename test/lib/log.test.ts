// The log: what an error says, without the rows that it quotes, and never without end.
import { expect, test } from 'vitest'
import { appendOutbox } from '../../src/announce/outbox.ts'
import { createLog } from '../../src/lib/log.ts'
import { testDatabase } from '../support/postgres.ts'

test('a statement that Postgres refuses is logged with its code, and with none of the people in it', async () => {
  const database = await testDatabase()
  const lines: string[] = []
  const log = createLog('info', { write: line => void lines.push(line) })
  const entries = Array.from({ length: 2_000 }, (_, at) => ({
    teamId: 'T0ACME',
    instanceId: '11111111-1111-8111-8111-111111111111',
    transitionSeq: at,
    medium: 'email' as const,
    destination: `ada-${at}@acme.example`,
    announcement: { kind: 'failed' } as never,
    now: new Date(),
  }))
  const error = await appendOutbox(database.db.conn, entries).catch((thrown: unknown) => thrown)
  log.error({ err: error }, 'It failed')
  log.warn({ reason: String(error) }, 'It failed')
  const [whole, short] = lines
  expect(JSON.parse(whole ?? '')).toMatchObject({
    err: {
      message: expect.stringMatching(/^Failed query: insert into "outbox"/),
      cause: { code: '23503', message: expect.stringContaining('foreign key') },
    },
  })
  expect(JSON.parse(short ?? '').reason).toMatch(/Failed query: insert into "outbox"/)
  for (const line of lines) {
    expect(line).not.toContain('acme.example')
    expect(line.length).toBeLessThan(10_000)
  }
  await database.drop()
})

test('of a chain of errors each is said, with its code', () => {
  const lines: string[] = []
  const log = createLog('info', { write: line => void lines.push(line) })
  const cause = Object.assign(new TypeError('the line broke'), { code: 'ECONNRESET' })
  log.error({ err: new Error('it was not sent', { cause }) }, 'It failed')
  const { err } = JSON.parse(lines[0] ?? '')
  expect(err).toMatchObject({
    type: 'Error',
    message: 'it was not sent',
    stack: expect.stringMatching(/^ +at .*log\.test\.ts/),
    cause: { type: 'TypeError', message: 'the line broke', code: 'ECONNRESET' },
  })
})
