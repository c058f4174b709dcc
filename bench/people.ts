// A directory to sync: a vendor's JSON users of about 700 bytes, 200 a page, written once to a file and read page by page.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'

/** How the directory looks: at first; 1 % added, 1 % changed and 1 % removed; and then everybody's last sign-in moved. */
export type Edition = 'first' | 'delta' | 'active'

/** Okta's largest page. */
const pageMax = 200

/** The ids of an edition, in the vendor's order: a removed person leaves a gap, an added one comes last. */
function* idsOf(people: number, edition: Edition): Generator<number> {
  for (let id = 0; id < people; id += 1) if (edition === 'first' || id % 100 !== 7) yield id
  if (edition !== 'first') for (let id = people; id < people + Math.floor(people / 100); id += 1) yield id
}

function userOf(id: number, edition: Edition): string {
  const changed = edition !== 'first' && id % 100 === 13
  const day = 1 + (id % 27)
  const month = edition === 'active' ? '11' : '10'
  const serial = String(id).padStart(8, '0')
  const login = `person.${serial}@acme.example`
  return JSON.stringify({
    id: `00u${serial}QoKJNuGlq0h8`,
    status: id % 50 === 3 ? 'DEPROVISIONED' : 'ACTIVE',
    created: `2024-03-${String(day).padStart(2, '0')}T09:1${id % 10}:00.000Z`,
    activated: `2024-03-${String(day).padStart(2, '0')}T09:1${id % 10}:00.000Z`,
    statusChanged: `2024-03-${String(day).padStart(2, '0')}T09:1${id % 10}:00.000Z`,
    lastLogin: `2026-${month}-${String(day).padStart(2, '0')}T08:${String(10 + (id % 50))}:12.000Z`,
    lastUpdated: `2026-01-${String(day).padStart(2, '0')}T10:22:31.000Z`,
    passwordChanged: null,
    type: { id: 'oty4xzu1p3hKq8Yts5d7' },
    profile: {
      login,
      email: login,
      secondEmail: null,
      firstName: `Person ${id}`,
      lastName: changed ? 'Van Der Renamed' : 'Example-Testperson',
      displayName: `Person ${id} ${changed ? 'Van Der Renamed' : 'Example-Testperson'}`,
      mobilePhone: '+49 170 5550100',
      department: `Department ${id % 40}`,
      organization: 'Acme Corporation',
      title: 'Senior Example Engineer',
      costCenter: String(1_000 + (id % 400)),
      manager: `person.${String(id >> 3).padStart(8, '0')}@acme.example`,
    },
  })
}

/** Write an edition to `path`: one page a line. */
export function writePages(path: string, people: number, edition: Edition): void {
  const file = openSync(path, 'w')
  let page: string[] = []
  const flush = () => {
    if (page.length > 0) writeSync(file, `[${page.join(',')}]\n`)
    page = []
  }
  for (const id of idsOf(people, edition)) {
    page.push(userOf(id, edition))
    if (page.length === pageMax) flush()
  }
  flush()
  closeSync(file)
}

/** Larger than any page. */
const roomBytes = 1_000_000

/** The pages of a file, one at a time: the bytes of one are good until the next one is asked for. */
export function* readPages(path: string): Generator<{ bytes: Buffer; last: boolean }> {
  const file = openSync(path, 'r')
  const room = Buffer.alloc(roomBytes)
  let left = fstatSync(file).size
  let [from, to] = [0, 0]
  while (left > 0 || from < to) {
    let end = room.subarray(0, to).indexOf(10, from)
    if (end < 0) {
      room.copyWithin(0, from, to)
      const got = readSync(file, room, to - from, room.length - (to - from), null)
      if (got === 0) throw new Error('A page has no end')
      left -= got
      ;[from, to] = [0, to - from + got]
      end = room.subarray(0, to).indexOf(10)
      if (end < 0) throw new Error('A page is larger than its room')
    }
    const bytes = room.subarray(from, end)
    from = end + 1
    yield { bytes, last: left === 0 && from === to }
  }
  closeSync(file)
}
