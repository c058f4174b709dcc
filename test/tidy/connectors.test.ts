// What a connector is made of: two files, a line in the registry, a stand-in and a page, and a page that is current.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fieldsOf } from '../../src/connectors/connector.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { emoji } from '../../src/sandbox/page/emoji.ts'
import { connectorPages } from './connector-pages.ts'

const registry = readFileSync('src/connectors/registry.ts', 'utf8')
const folders = readdirSync('src/connectors', { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name)

/** What one connector owns, and nothing else may name it. */
function owned(id: string): string[] {
  return [
    `src/connectors/${id}/${id}.ts`,
    ...(speaksScim(id) ? [] : [`src/connectors/${id}/schema.ts`]),
    `test/connectors/vendors/${id}.ts`,
    `docs/connectors/${id}.md`,
  ]
}

/** A vendor whose words are the standard's has no schema of its own. */
function speaksScim(id: string): boolean {
  return /from '..\/scim-people.ts'/.test(readFileSync(`src/connectors/${id}/${id}.ts`, 'utf8'))
}

test.each(connectors.map(({ id }) => id))('%s is two files, a registry line, a stand-in and a page', id => {
  expect(owned(id).filter(path => !existsSync(path))).toEqual([])
  const files = speaksScim(id) ? [`${id}.ts`] : [`${id}.ts`, 'schema.ts']
  expect(readdirSync(`src/connectors/${id}`).sort()).toEqual(files.sort())
  expect(registry.match(new RegExp(`from './${id}/${id}[.]ts'`, 'g'))).toHaveLength(1)
})

test('every folder of a vendor is in the registry', () => {
  expect(folders.sort()).toEqual(connectors.map(({ id }) => id).sort())
})

test('nothing but the registry names a vendor', () => {
  const others = (readdirSync('src', { recursive: true }) as string[])
    .filter(name => name.endsWith('.ts') && name !== 'connectors/registry.ts' && !name.startsWith('sandbox/'))
    .filter(name => !/^connectors\/[^/]+\//.test(name))
    .filter(name =>
      connectors.some(({ id }) => readFileSync(`src/${name}`, 'utf8').includes(`/${id}/${id}.ts'`)),
    )
  expect(others).toEqual([])
})

test('the table and the pages say what the declarations say (npm run connectors:table writes them)', () => {
  for (const [path, text] of connectorPages()) expect(readFileSync(path, 'utf8'), path).toBe(text)
})

test('ids, names and tenants’ words are told apart in the menu', () => {
  for (const of of ['id', 'name'] as const)
    expect(new Set(connectors.map(one => one[of])).size, of).toBe(connectors.length)
})

test('each has a sign that every workspace has: the sandbox draws it', () => {
  for (const connector of connectors)
    expect(emoji[connector.emoji.replaceAll(':', '')], `${connector.id} ${connector.emoji}`).toBeTruthy()
})

test('no page is left of an application that is gone', () => {
  const pages = readdirSync('docs/connectors').filter(name => !['README.md', 'ADDING.md'].includes(name))
  expect(pages.sort()).toEqual(connectors.map(({ id }) => `${id}.md`).sort())
})

test('no connector asks for a field by the key of one of the form’s own', () => {
  const gestures = readdirSync('src/chat').map(name => readFileSync(`src/chat/${name}`, 'utf8'))
  const own = gestures.flatMap(text => [...text.matchAll(/blockId: '([\w-]+)'/g)].map(found => found[1]))
  expect(own).toContain('name')
  for (const one of connectors)
    expect(
      fieldsOf(one).filter(({ key }) => own.includes(key)),
      one.id,
    ).toEqual([])
})
