// What Edit Instance reads of credentials when the stored ones cannot be opened: it asks for them anew, and saves nothing half.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readEdit } from '../../src/chat/edit-read.ts'
import type { House } from '../../src/chat/gesture.ts'
import { secretField } from '../../src/connectors/fields.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { sealedSecrets } from '../../src/instances/credentials.ts'
import type { Instance } from '../../src/instances/instance.ts'
import { createSeal } from '../../src/instances/seal.ts'
import type { ShownView } from '../../src/slack/turn.ts'

const [key, other] = [randomBytes(32), randomBytes(32)]
const connector = {
  ...okta,
  credentials: z.object({ id: secretField({ label: 'Client id' }), token: secretField({ label: 'Token' }) }),
}
const place = { id: 'i1', teamId: 'T1' }
const sealed = sealedSecrets(createSeal([key]), place, connector, { id: 'stored-id', token: 'stored-token' })
const instance = { ...place, settings: {}, sealed, owner: 'U1', scheduleHours: 24 } as unknown as Instance
const view = (typed: Record<string, string>) =>
  ({
    inputs: { text: new Map(Object.entries({ name: 'n', status: 'live', ...typed })) },
  }) as unknown as ShownView
const read = (keys: Buffer[], typed: Record<string, string>) =>
  readEdit({ seal: createSeal(keys) } as House, instance, connector, view(typed))

test('a secret left blank stays as it is, when one of two is given', () => {
  expect(read([key], { token: 'new-token' })).toMatchObject({
    ok: true,
    wanted: { credentials: { id: 'stored-id', token: 'new-token' } },
  })
})

test('without the key that opens them a blank one is asked for at its field, and all given anew are taken', () => {
  expect(read([other], { token: 'new-token' })).toEqual({
    ok: false,
    errors: { id: 'saasm cannot open the present one: give the client id anew.' },
  })
  expect(read([other], { id: 'new-id', token: 'new-token' })).toMatchObject({
    ok: true,
    wanted: { credentials: { id: 'new-id', token: 'new-token' } },
  })
  expect(read([other], {}), 'nothing is opened when nothing is to change').toMatchObject({
    ok: true,
    wanted: { credentials: null },
  })
})
