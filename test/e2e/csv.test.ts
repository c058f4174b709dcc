// A CSV file as a person uploads it on the sandbox's page, in Chromium: refused below its field, then connected.
import { source as axe } from 'axe-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandboxed, startSandboxed } from './sandboxed.ts'

let sandboxed: Sandboxed
beforeAll(async () => {
  sandboxed = await startSandboxed()
})
afterAll(() => sandboxed?.stop())

const csvFile = (text: string) => ({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })

test('a file is chosen in the connect window, refused with its lines, then connected', async () => {
  const { page } = sandboxed
  await page.locator('.composer input').fill('/saasm connect csv')
  await page.keyboard.press('Enter')
  const field = page.getByLabel('CSV file', { exact: true })
  const connect = page.getByRole('dialog').getByRole('button', { name: 'Connect', exact: true })
  await field.waitFor()
  await page.evaluate(axe)
  const serious = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string }[] }> }
    }
    const { violations } = await axe.run()
    return violations.filter(one => /serious|critical/.test(one.impact)).map(one => one.id)
  })
  expect(serious).toEqual([])
  await sandboxed.shoot('csv-form')
  await field.setInputFiles(csvFile('id,email\n1,x\n2,y\n3,c@acme.example\n'))
  await page.getByText('1 uploaded').waitFor()
  await connect.click()
  await page.getByText(/Too many lines cannot be read/).waitFor()
  await sandboxed.shoot('csv-refused')
  await field.setInputFiles(csvFile(`id,email\n${'x'.repeat(21_000_000)}`))
  await page.getByText('this sandbox takes up to 20 MB').waitFor()
  await sandboxed.shoot('csv-too-large')
  const more = Array.from(
    { length: 40_000 },
    (_, n) => `${n + 10},person.${n}@engineering.acme.example\n`,
  ).join('')
  await field.setInputFiles(csvFile(`id,email\n1,a@acme.example\n2,x\n3,c@acme.example\n${more}`))
  await page.getByText('1 uploaded').waitFor()
  await connect.click()
  await page
    .getByRole('dialog')
    .getByText(/is connected/)
    .waitFor()
  await sandboxed.shoot('csv-connected')
})
