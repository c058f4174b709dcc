// A print of this code: what was learned with another one is not relied on.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'

/** SHA-256 in base64url, of the files in these rooms and of the packages they are built on. Reads them. */
export function codePrint(rooms: readonly string[]): string {
  const { dirname, filename } = import.meta
  const root = join(dirname, '..')
  // In a bundle all rooms are in one file.
  const files =
    basename(dirname) === 'lib'
      ? [join(root, '..', 'package.json'), ...rooms.flatMap(room => filesOf(join(root, room)))]
      : [filename]
  const sum = createHash('sha256')
  for (const file of files) sum.update(`\n${relative(root, file)}\n`).update(readFileSync(file))
  return sum.digest('base64url')
}

function filesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[]
  return names
    .filter(name => /\.[jt]s$/.test(name))
    .sort()
    .map(name => join(folder, name))
}
