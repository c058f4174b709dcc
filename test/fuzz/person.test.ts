// Whatever a person types or sends: an answer, never a fault past the edge, never a hang; the app lives on and nothing has changed.
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCredentials } from '../../src/connectors/connector.ts'
import { ProviderError } from '../../src/connectors/errors.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { readSettings } from '../../src/env.ts'
import { createSeal } from '../../src/instances/seal.ts'
import { newId } from '../../src/lib/ids.ts'
import { cleanText, codePoints } from '../../src/lib/text.ts'
import { readAddress } from '../../src/recipients/recipients.ts'
import { startWatched, type Watched } from '../chat/watched.ts'
import { bounded } from './cost.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3_000 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom('a', '@', '.', '-', 'a.', '-a', ' ', '\0', '\ud800', '\n', '%', '://', '[::1]', '👩‍💻'),
      fc.integer({ min: 1, max: 3_000 }),
    )
    .map(([part, times]) => part.repeat(times).slice(0, 3_000)),
)

test.each(connectors.map(one => [one.id, one] as const))(
  'whatever stands in the form of %s is taken, or refused with a sentence at its field',
  async (_, connector) => {
    const fields = Object.keys(connector.credentials.shape)
    const form = fc.record(Object.fromEntries(fields.map(key => [key, text])))
    await fc.assert(
      fc.asyncProperty(form, async typed => {
        await bounded('a form', () => {
          const read = readCredentials(connector, typed)
          if (!read.ok) {
            expect(Object.keys(read.problems).every(key => fields.includes(key))).toBe(true)
            for (const sentence of Object.values(read.problems)) expect(sentence.trim()).not.toBe('')
            return
          }
          try {
            expect(connector.base(read.credentials)).toMatch(/^https?:\/\//)
          } catch (error) {
            if (!(error instanceof ProviderError)) throw error
          }
        })
      }),
      { numRuns: 150 },
    )
  },
)

test('whatever is typed as an address is taken as one address, or refused with a sentence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, fc.emailAddress()), async typed => {
      await bounded('an address', () => {
        const read = readAddress(typed)
        if (read.ok) expect(read.address).toMatch(/^[^\s<>,;"\0]+@[^\s<>,;"@\0]+$/)
        else expect(read.reason.length).toBeGreaterThan(10)
      })
    }),
    { numRuns: 500 },
  )
})

test('whatever stands in the environment is read, or refused with one line a variable', async () => {
  const names = fc.constantFrom(
    ...[
      'PORT',
      'SAASM_ADMINS',
      'SAASM_SECRET_KEY',
      'DATABASE_URL',
      'SAASM_EMAIL_FROM',
      'SAASM_ROLES',
      'LOG_LEVEL',
    ],
    ...['SLACK_BOT_TOKEN', 'SAASM_HISTORY_DAYS', 'SAASM_AUDIT_DAYS', 'MONGODB_URI', 'NODE_ENV'],
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, text), async environment => {
      await bounded('an environment', () => {
        const read = readSettings(environment)
        if (!read.ok) for (const line of read.problems) expect(line).toMatch(/^[A-Z_]+ .+\.$/s)
      })
    }),
    { numRuns: 300 },
  )
})

test('text is cleaned within bounds, and sealed text of any make is refused without a word of it', async () => {
  const seal = createSeal([Buffer.alloc(32, 7)])
  const place = { teamId: 'T', instanceId: 'I', field: 'credentials' }
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 300 }), async (typed, max) => {
      await bounded('a text', () => {
        const clean = cleanText(typed, max)
        expect(clean.isWellFormed() && !clean.includes('\0') && codePoints(clean) <= max).toBe(true)
        expect(cleanText(clean, max)).toBe(clean)
        const forged = [`v1.${typed}`, seal.seal('s', place).replace(/.$/, typed), typed]
        for (const sealed of forged) {
          try {
            expect(seal.open(sealed, place)).toBe('s')
          } catch (error) {
            if (typed.length > 20) expect(String(error)).not.toContain(typed)
          }
        }
      })
    }),
    { numRuns: 300 },
  )
})

let watched: Watched
beforeAll(async () => {
  watched = await startWatched()
})
afterAll(() => watched.close())

/** Post to the app as Slack does: signed, and stamped now. */
async function post(body: string, type: string): Promise<number> {
  const stamp = String(Math.floor(Date.now() / 1000))
  const { signingSecret } = watched.world.sandbox.settings
  const made = createHmac('sha256', signingSecret).update(`v0:${stamp}:${body}`).digest('hex')
  const answer = await fetch(`http://127.0.0.1:${watched.world.app.port()}/slack/events`, {
    ...{ method: 'POST', body, signal: AbortSignal.timeout(5_000) },
    headers: { 'content-type': type, 'x-slack-signature': `v0=${made}`, 'x-slack-request-timestamp': stamp },
  })
  await answer.arrayBuffer()
  return answer.status
}

test('whatever arrives signed is answered in time, nobody who may nothing changes anything, and the app lives on', async () => {
  const max = watched.world.userId('Max')
  const keys = fc.constantFrom(
    ...[
      'id',
      'value',
      'actions',
      'view',
      'state',
      'values',
      'callback_id',
      'private_metadata',
      'user',
      'team',
      'channel',
    ],
    ...[
      'container',
      'type',
      'action_id',
      'block_id',
      'selected_options',
      'trigger_id',
      'event',
      '__proto__',
      'toString',
    ],
  )
  const { json } = fc.letrec<{ json: unknown }>(tie => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.integer(),
        fc.constantFrom(null, true, watched.ours),
      ),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(keys, tie('json'), { maxKeys: 6 }),
    ),
  }))
  const type = fc.constantFrom(
    'block_actions',
    'view_submission',
    'view_closed',
    'block_suggestion',
    'event_callback',
    'x',
    undefined,
  )
  const word = fc.constantFrom(
    'manage',
    'held-allow',
    'recipient-add',
    'delete-confirm',
    'edit-instance',
    'recipients',
    'connect',
  )
  const before = await watched.everything()
  const of = { team: { id: 'T0SANDBOX' }, user: { id: max, team_id: 'T0SANDBOX' }, api_app_id: 'A0SAASM' }
  await fc.assert(
    fc.asyncProperty(type, word, json, json, fc.boolean(), async (kind, id, one, other, whole) => {
      const made = {
        ...(typeof one === 'object' ? one : {}),
        ...of,
        ...{ type: kind, trigger_id: newId(), action_id: id },
        actions: [{ type: 'button', action_id: id, block_id: 'x', value: other }],
        view: whole
          ? other
          : { id: 'V1', callback_id: id, private_metadata: JSON.stringify(one), state: other },
        event: other,
      }
      const status = await post(
        new URLSearchParams({ payload: JSON.stringify(made) }).toString(),
        'application/x-www-form-urlencoded',
      )
      expect(status, JSON.stringify(made).slice(0, 500)).toBeLessThan(500)
    }),
    { numRuns: 250 },
  )
  expect((await fetch(`http://127.0.0.1:${watched.world.app.port()}/healthz`)).status).toBe(200)
  expect(await watched.everything()).toBe(before)
})
