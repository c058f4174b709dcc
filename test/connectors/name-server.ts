// A name server on loopback: answers A, AAAA and CNAME questions over UDP as a zone says, and counts how often it was asked.
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns'
import type { AddressInfo } from 'node:net'
import type { Network } from '../../src/connectors/http-guard.ts'

/** The addresses of a name, or the name that it is another word for; `nth` counts the questions for A from 1. */
export type Zone = Record<
  string,
  readonly string[] | { cname: string } | ((nth: number) => readonly string[])
>

export interface NameServer {
  /** How often the A records of this name were asked for. */
  asked(name: string): number
  /** Every address of a name, as the machine's resolver would find them through this server. */
  lookup: Network['lookup']
  close(): Promise<void>
}

const types = { A: 1, CNAME: 5, AAAA: 28 }

export async function serveNames(zone: Zone): Promise<NameServer> {
  const counts = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (question, from) => {
    const { name, type, end } = readQuestion(question)
    if (type === types.A) counts.set(name, (counts.get(name) ?? 0) + 1)
    const records = recordsOf(zone, name, type, counts.get(name) ?? 1)
    const known = records.length > 0 || name in zone
    const header = Buffer.from(question.subarray(0, 12))
    header.writeUInt16BE(known ? 0x8180 : 0x8183, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(records.length, 6)
    header.writeUInt32BE(0, 8)
    socket.send(Buffer.concat([header, question.subarray(12, end), ...records]), from.port, from.address)
  })
  await new Promise<void>(done => socket.bind(0, '127.0.0.1', done))
  const resolver = new Resolver({ timeout: 1_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`])
  const ask = (name: string, family: 4 | 6) =>
    new Promise<{ address: string; family: number }[]>((found, refuse) => {
      const hear = (error: NodeJS.ErrnoException | null, addresses: string[] = []) => {
        if (error && error.code !== 'ENODATA') refuse(error)
        else found(addresses.map(address => ({ address, family })))
      }
      if (family === 4) resolver.resolve4(name, hear)
      else resolver.resolve6(name, hear)
    })
  return {
    asked: name => counts.get(name) ?? 0,
    lookup(name, done) {
      Promise.all([ask(name, 4), ask(name, 6)]).then(
        found => done(null, found.flat()),
        error => done(error, []),
      )
    },
    close: () => new Promise(closed => socket.close(() => closed())),
  }
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

/** The answers to a question, the other words for the name first. */
function recordsOf(zone: Zone, name: string, type: number, nth: number): Buffer[] {
  const entry = zone[name]
  if (entry === undefined) return []
  if (typeof entry === 'object' && 'cname' in entry)
    return [record(name, types.CNAME, nameBytes(entry.cname)), ...recordsOf(zone, entry.cname, type, nth)]
  const addresses = typeof entry === 'function' ? entry(nth) : entry
  return addresses
    .filter(address => type === (address.includes(':') ? types.AAAA : types.A))
    .map(address => record(name, type, addressBytes(address)))
}

function record(name: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameBytes(name), fixed, data])
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map(label => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  return Buffer.concat([...labels, Buffer.from([0])])
}

/** Dotted, or IPv6 with at most one `::` and perhaps a dotted end. */
function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...four) => {
    const [a = 0, b = 0, c = 0, d = 0] = four.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = '', tail] = hex.split('::')
  const [front, back] = [head, tail ?? ''].map(part => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - (front?.length ?? 0) - (back?.length ?? 0) }, () => '0')
  const groups = tail === undefined ? (front ?? []) : [...(front ?? []), ...zeros, ...(back ?? [])]
  return Buffer.from(
    groups.flatMap(group => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  )
}
