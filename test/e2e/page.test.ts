// The sandbox's page as a person uses it, in Chromium: the main path by clicking and typing, and no serious axe violation.
import { source as axe } from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandboxed, startSandboxed } from './sandboxed.ts'

let sandboxed: Sandboxed
let page: Page

beforeAll(async () => {
  sandboxed = await startSandboxed()
  page = sandboxed.page
})
afterAll(() => sandboxed?.stop())

async function say(line: string, of = page) {
  await of.locator('.composer input').fill(line)
  await of.keyboard.press('Enter')
}

const press = (name: string | RegExp, of = page) =>
  of
    .getByRole('button', { name, exact: typeof name === 'string' })
    .last()
    .click()
const go = (name: string | RegExp) => page.getByRole('navigation').getByRole('button', { name }).click()
const dialog = (of = page) => of.getByRole('dialog')
const seen = (text: string | RegExp, of = page) => of.getByText(text).last().waitFor()

/** Serious and critical violations of what is on the screen now. */
async function violations(of = page): Promise<string[]> {
  await of.addScriptTag({ content: axe }).catch(() => of.evaluate(axe))
  const found = await of.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> }
    }
    return (await axe.run()).violations
  })
  return found
    .filter(one => one.impact === 'serious' || one.impact === 'critical')
    .map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)
}

async function vendorField(vendor: string, field: string): Promise<string> {
  const state = (await (await fetch(`${sandboxed.url}/page/state?as=U0ADA`)).json()) as {
    vendors: { id: string; fields: Record<string, string> }[]
  }
  return state.vendors.find(one => one.id === vendor)?.fields[field] ?? ''
}

test('connect: a wrong token is refused at its field, the right one is connected and announced', async () => {
  await say('/saasm connect okta')
  await page.getByLabel('Okta domain').fill(await vendorField('okta', 'domain'))
  await page.getByLabel('API token').fill('wrong')
  expect(await violations(), 'the connect window').toEqual([])
  await press('Connect')
  await seen(/Okta refused the token/)
  await sandboxed.shoot('connect-refused')
  await page.getByLabel('API token').fill(await vendorField('okta', 'token'))
  await press('Connect')
  await seen(/is connected/)
  await press('Done')
  await seen('okta: initial sync complete (450 users)')
  expect(await violations(), 'the channel').toEqual([])
  await sandboxed.shoot('connected')
})

test('recipients: each address is added with Enter, a wrong one is refused, Save keeps them', async () => {
  await say('/saasm recipients')
  const field = page.getByLabel(/E-mail address/)
  await field.fill('it@example.com')
  await page.keyboard.press('Enter')
  await seen('it@example.com')
  await page.getByLabel(/E-mail address/).fill('not an address')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').first().waitFor()
  await page.getByLabel(/E-mail address/).fill('sec@example.com')
  await page.keyboard.press('Enter')
  await seen('2 recipients. Choose Save to keep this list.')
  expect(await violations(), 'Manage Recipients').toEqual([])
  await sandboxed.shoot('recipients')
  await press('Save')
  await dialog().waitFor({ state: 'detached' })
  await say('/saasm recipients')
  await seen('sec@example.com')
  await page.keyboard.press('Escape')
  await dialog().waitFor({ state: 'detached' })
})

test('edit: Manage opens Edit Instance from the tiles, and Update Instance saves', async () => {
  await say('/saasm integrations')
  await press('Manage okta')
  await page.getByLabel('Name', { exact: true }).fill('okta-prod')
  await page.getByLabel('Sync every').selectOption({ label: '6 hours' })
  expect(await violations(), 'Edit Instance').toEqual([])
  await sandboxed.shoot('edit-instance')
  await press('Update Instance')
  await dialog().waitFor({ state: 'detached' })
  await go('Home')
  await seen('okta-prod')
  expect(await violations(), 'Home').toEqual([])
  await sandboxed.shoot('home')
})

test('revoke: a token revoked in Vendors makes the instance Inactive, seen in the channel and by mail', async () => {
  await go('Vendors')
  await press('Revoke token')
  expect(await violations(), 'Vendors').toEqual([])
  await sandboxed.shoot('vendors')
  await go('# saas-sync')
  await say('/saasm sync okta')
  await seen(/okta-prod is now Inactive/)
  await sandboxed.shoot('revoked')
  await go(/Mailbox/)
  await page
    .getByRole('button', { name: /okta-prod is now Inactive/ })
    .first()
    .click()
  await page.getByRole('button', { name: 'Text' }).click()
  await seen(/saasm has stopped syncing/)
  await press('HTML')
  expect(await violations(), 'the mailbox').toEqual([])
  await sandboxed.shoot('mailbox')
})

test('repair: Fix on the message, a new token, Live: the message is resolved in place', async () => {
  await go('Vendors')
  await press('Make a new token')
  await seen('works')
  await go('# saas-sync')
  await page.getByRole('button', { name: /^Fix/ }).last().click()
  await page.getByLabel('API token').fill(await vendorField('okta', 'token'))
  await page.getByRole('radio', { name: /Live/ }).check()
  await press('Update Instance')
  await seen(/The credentials work/)
  await press('Done')
  await seen(/Resolved:/)
  await seen(/okta-prod has recovered/)
  await sandboxed.shoot('repaired')
})

test('delete all users: asked once more with the count, and Keep users keeps them', async () => {
  await say('/saasm manage okta-prod')
  await press('Delete All Users')
  await seen(/450 users of okta-prod will no longer be reported/)
  expect(await violations(), 'Delete All Users').toEqual([])
  await sandboxed.shoot('delete-users')
  await press('Keep users')
  await page.getByRole('button', { name: 'Update Instance' }).waitFor()
  await page.getByRole('button', { name: 'Close everything' }).click()
  await dialog().waitFor({ state: 'detached' })
})

test('a removal too large to believe is held, and Allow this once asks before it removes', async () => {
  const state = (await (await fetch(`${sandboxed.url}/page/state?as=U0ADA`)).json()) as {
    vendors: { id: string; people: { id: string }[] }[]
  }
  const gone = state.vendors.find(one => one.id === 'scim')?.people ?? []
  await say('/saasm connect scim')
  await page.getByLabel('SCIM base address').fill(await vendorField('scim', 'address'))
  await page.getByLabel(/Bearer token/).fill(await vendorField('scim', 'token'))
  await press('Connect')
  await seen(/is connected/)
  await press('Done')
  await seen('scim: initial sync complete (120 users)')
  for (const { id } of gone) {
    await fetch(`${sandboxed.url}/page/vendors/scim/remove`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id }),
    })
  }
  await say('/saasm sync scim')
  await seen(/50 users of 120/)
  await press(/^Allow this once: scim/)
  await seen('Allow this removal once?')
  expect(await violations(), 'the confirmation').toEqual([])
  await sandboxed.shoot('held')
  await dialog().getByRole('button', { name: 'Allow this once' }).click()
  await seen(/allowed it:.*50 users are no longer reported/)
})

test('a plain member is refused, told whom to ask, and only they see it', async () => {
  await page.getByLabel('You are').selectOption({ label: 'Max Member (member)' })
  await seen('okta-prod has recovered and is syncing again')
  await say('/saasm sync okta-prod')
  await seen(/this is for operators/)
  await seen('Only visible to you')
  await sandboxed.shoot('refused')
  await page.getByLabel('You are').selectOption({ label: 'Ada Admin (admin)' })
})

test('delete: no button before the box is ticked, then the instance goes, with its counts', async () => {
  await say('/saasm manage okta-prod')
  await press('Delete Instance')
  await seen(/will be deleted with its/)
  expect(await page.getByRole('button', { name: 'Delete Integration Instance' }).count()).toBe(0)
  const box = page.getByRole('checkbox', { name: 'I understand that this action cannot be undone' })
  await box.focus()
  await page.keyboard.press('Space')
  await page.getByRole('button', { name: 'Delete Integration Instance' }).waitFor()
  expect(await page.locator('input[type=checkbox]:focus').count(), 'the redraw keeps the focus').toBe(1)
  expect(await violations(), 'the delete window').toEqual([])
  await sandboxed.shoot('delete')
  await press('Delete Integration Instance')
  await seen(/is being deleted/)
  await page.getByRole('button', { name: 'Close everything' }).click()
  await seen('okta-prod was deleted')
  await seen(/450 users of okta-prod are no longer reported/)
  await sandboxed.shoot('deleted')
})

test('a wrong word gets the nearest commands', async () => {
  await say('/saasm conect')
  await seen(/Did you mean/)
  await sandboxed.shoot('wrong-word')
})

test('at 400 pixels, and in the dark, it is usable and legible', async () => {
  const narrow = await sandboxed.open({ width: 400, height: 800, dark: true })
  await say('/saasm connect', narrow)
  await dialog(narrow).getByText('Which application?').waitFor()
  const wide = await narrow.evaluate('document.documentElement.scrollWidth')
  expect(wide, 'nothing is wider than the screen').toBeLessThanOrEqual(400)
  expect(await violations(narrow), 'narrow and dark').toEqual([])
  await sandboxed.shoot('narrow-dark', narrow)
  await narrow.keyboard.press('Escape')
  await dialog(narrow).waitFor({ state: 'detached' })
  await sandboxed.shoot('narrow-channel-dark', narrow)
  expect(await violations(narrow), 'narrow channel, dark').toEqual([])
  await narrow.close()
})

test('the keyboard stays in the window, and gets back to where it was', async () => {
  await say('/saasm connect okta')
  await page.getByLabel('API token').waitFor()
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press('Tab')
    expect(await page.evaluate("document.activeElement?.closest('[role=dialog]') !== null")).toBe(true)
  }
  await page.keyboard.press('Escape')
  await dialog().waitFor({ state: 'detached' })
  expect(await page.evaluate("document.activeElement?.closest('.composer') !== null")).toBe(true)
})

test('what is typed while the app is being told of it is kept', async () => {
  await say('/saasm connect okta')
  const token = page.getByLabel('API token')
  await token.waitFor()
  let held: () => void = () => {}
  const holding = new Promise<void>(resolve => {
    held = resolve
  })
  await page.route('**/page/as/*/type', async route => {
    await holding
    await route.continue()
  })
  await token.fill('abc')
  const asked = page.waitForRequest('**/page/as/*/type')
  const submitted = page.waitForResponse('**/page/as/*/submit')
  await token.press('Enter')
  await asked
  await token.pressSequentially('xyz')
  held()
  await submitted
  await page.getByRole('alert').first().waitFor()
  expect(await token.inputValue()).toBe('abcxyz')
  await page.unroute('**/page/as/*/type')
  await page.getByRole('button', { name: 'Close everything' }).click()
  await dialog().waitFor({ state: 'detached' })
})
