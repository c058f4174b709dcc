// A vendor's list cut into chunks as it came: who is known again by these bytes is neither parsed nor read again.
import { hash, randomUUID } from 'node:crypto'
import { breathe, isOutOfBreath } from '../lib/breath.ts'
import { textOf } from './http-body.ts'

/** People who are stored as these bytes say. */
export interface KnownChunk {
  people: number
  digest: string
}

/** What the bytes of an answer may be known by. */
export interface Recall {
  /** A digest of what else decides how they are read: the same bytes read otherwise are other people. */
  of: string
  /** By a digest of 22 characters, 132 bits; undefined: they are to be read. */
  chunk(digest: string): KnownChunk | undefined
}

/** Which answers are cut: those of so many bytes. */
export interface CutFrom {
  minBytes: number
  /** Asked for with the first of them; without it nobody is to be known again. */
  recall?: (() => Promise<Recall>) | undefined
}

/** `digest`: what its items can be known by the next time, where that was asked for. Of a long answer they are made when asked for. */
export type CutChunk =
  | { known: KnownChunk; digest?: never; items?: never }
  | { known?: never; digest?: string | undefined; items(): readonly unknown[] }

/** An answer whose list was cut. */
export interface CutAnswer {
  /** As JSON.parse reads it; `list` is in it, and read whole when somebody looks into it. */
  body: unknown
  list: readonly unknown[]
  /** The list's items, in its order. */
  chunks: CutChunk[]
}

/** Letters of base64url, six bits each. */
const digestLength = 22
/** What stands before the list, or after it: links, counts. More than this is not looked through. */
const aroundMaxBytes = 65_536
const chunkMaxBytes = 1_048_576
/** Of a longer answer the items are not kept: many megabytes of them hold up the garbage collector longer than parsing twice. */
const keptMaxBytes = 1_048_576
/**
 * A chunk that has fewer people ends after one in `earlyEnd`, a larger one after one in `lateEnd`: so that few are very large,
 * in which most of the changes would be. They come to some five people: fewer are much to remember, more are much to read and
 * to ask about for one who has changed.
 */
const peopleLate = 4
const earlyEnd = 8
const lateEnd = 3
/** It ends here in any case. */
const peopleMax = 32
/** The beginning of an item says whether a chunk ends with it: of most vendors its id is in there, whatever else may change. */
const saysBytes = 96

const [quote, backslash, comma, open, close, openItem, closeItem] = Array.from('"\\,[]{}', letter =>
  letter.charCodeAt(0),
)

/** Stands for the list while what is around it is parsed; no vendor can know it. */
const mark = randomUUID()

/**
 * Cut a JSON answer's list of objects; undefined: it has none that can be cut, and is to be read as a whole. Where an item ends
 * is guessed by the look of the first two, and the guess is proved: pieces that are each a valid list, with commas between
 * them, are the list. A known piece was valid when it was learned, and the others are parsed here; a long list, with a breath
 * now and then.
 */
export async function cutList(bytes: Buffer, recall?: Recall): Promise<CutAnswer | undefined> {
  const [from, to] = [listStart(bytes), listEnd(bytes)]
  if (from === undefined || to === undefined || from >= to) return undefined
  const between = separatorIn(bytes, from, to)
  const chunks = between && (await chunksIn(bytes, { from, to, between }, recall))
  if (!chunks) return undefined
  const list = readWhenSeen(() => JSON.parse(`[${textOf(bytes.subarray(from, to))}]`) as unknown[])
  const around = bodyWith(list, textOf(bytes.subarray(0, from)), textOf(bytes.subarray(to)))
  return around && { body: around.body, list, chunks }
}

/** The first item's place. */
function listStart(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf('['); at >= 0 && at < aroundMaxBytes; at = bytes.indexOf('[', at + 1)) {
    const item = afterSpace(bytes, at + 1)
    if (bytes[item] === openItem) return item
  }
  return undefined
}

/** The place behind the last item. */
function listEnd(bytes: Buffer): number | undefined {
  const least = bytes.length - aroundMaxBytes
  for (let at = bytes.lastIndexOf(']'); at > 0 && at >= least; at = bytes.lastIndexOf(']', at - 1)) {
    let item = at - 1
    while (isSpace(bytes[item])) item -= 1
    if (bytes[item] === closeItem) return item + 1
  }
  return undefined
}

/** What stands from the end of an item to the first key of the next one, and where in it that one begins. */
interface Separator {
  bytes: Buffer
  next: number
}

function separatorIn(bytes: Buffer, from: number, to: number): Separator | undefined {
  const end = itemEnd(bytes, from, Math.min(to, from + chunkMaxBytes))
  const at = end === undefined ? to : afterSpace(bytes, end)
  if (end === undefined || at >= to || bytes[at] !== comma) return undefined
  const next = afterSpace(bytes, at + 1)
  const key = afterSpace(bytes, next + 1)
  if (bytes[next] !== openItem || bytes[key] !== quote) return undefined
  const keyEnd = bytes.indexOf('"', key + 1)
  if (keyEnd < 0 || keyEnd >= to) return undefined
  return { bytes: bytes.subarray(end - 1, keyEnd + 1), next: next - (end - 1) }
}

/** The place behind the object that begins here. */
function itemEnd(bytes: Buffer, from: number, to: number): number | undefined {
  let depth = 0
  let inText = false
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]
    if (inText) {
      if (byte === backslash) at += 1
      else if (byte === quote) inText = false
    } else if (byte === quote) inText = true
    else if (byte === openItem || byte === open) depth += 1
    else if (byte === closeItem || byte === close) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return undefined
}

async function chunksIn(
  bytes: Buffer,
  { from, to, between }: { from: number; to: number; between: Separator },
  recall: Recall | undefined,
): Promise<CutChunk[] | undefined> {
  const chunks: CutChunk[] = []
  let [start, item, many] = [from, from, 0]
  while (start < to) {
    const found = bytes.indexOf(between.bytes, item)
    const end = found < 0 || found >= to ? to : found + 1
    many += 1
    const says = sumOf(bytes, item, Math.min(end, item + saysBytes))
    item = found + between.next
    if (end < to && !isLast(says, many)) continue
    if (end - start > chunkMaxBytes) return undefined
    const chunk = chunkOf(bytes.subarray(start, end), { recall, keep: bytes.length <= keptMaxBytes })
    if (!chunk) return undefined
    chunks.push(chunk)
    many = 0
    start = end < to ? item : to
    if (isOutOfBreath()) await breathe()
  }
  return chunks
}

function chunkOf(
  bytes: Buffer,
  { recall, keep }: { recall: Recall | undefined; keep: boolean },
): CutChunk | undefined {
  const digest = recall && mixed(hash('sha256', bytes, 'base64url'), recall.of)
  const known = digest !== undefined && recall?.chunk(digest)
  if (known) return { known }
  const parse = () => parsed(`[${textOf(bytes)}]`)
  const items = parse()
  if (!Array.isArray(items)) return undefined
  return { digest, items: keep ? () => items : () => parse() as unknown[] }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const lettersBytes = Buffer.from(letters)
const sixBits = new Uint8Array(128)
for (let at = 0; at < letters.length; at += 1) sixBits[letters.charCodeAt(at)] = at
const digestRoom = Buffer.alloc(digestLength)

/** Two digests as one. */
function mixed(one: string, other: string): string {
  for (let at = 0; at < digestLength; at += 1) {
    const bits = (sixBits[one.charCodeAt(at)] ?? 0) ^ (sixBits[other.charCodeAt(at)] ?? 0)
    digestRoom[at] = lettersBytes[bits] ?? 0
  }
  return digestRoom.toString('latin1')
}

function sumOf(bytes: Buffer, from: number, to: number): number {
  let sum = fnvStart
  for (let at = from; at < to; at += 1) sum = Math.imul(sum ^ (bytes[at] ?? 0), fnvPrime)
  return sum
}

/** FNV-1a, 32 bits. */
export const fnvStart = 0x811c9dc5
export const fnvPrime = 0x01000193

/** Does a chunk end with its `many`-th person, of whose id or item this is the FNV-1a? */
export function isLast(fnv: number, many: number): boolean {
  // Mixed as MurmurHash3 ends: without that the last letters say little.
  let sum = Math.imul(fnv ^ (fnv >>> 16), 0x85ebca6b)
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35)
  const says = (sum ^ (sum >>> 16)) >>> 0
  return many === peopleMax || says % (many < peopleLate ? earlyEnd : lateEnd) === 0
}

/** The answer with this list in its place; undefined: what is around it is no JSON, or the list has no place there. */
function bodyWith(list: readonly unknown[], before: string, after: string): { body: unknown } | undefined {
  // The list's own brackets are around it still.
  const [head, tail] = [before.trimEnd().slice(0, -1), after.trimStart().slice(1)]
  if (isBlank(head) && isBlank(tail)) return { body: list }
  let places = 0
  const body = parsed(`${head}"${mark}"${tail}`, (_, value) => {
    if (value !== mark) return value
    places += 1
    return list
  })
  return places === 1 ? { body } : undefined
}

/** An array that is read when its length or one of its items is asked for. */
function readWhenSeen(read: () => unknown[]): readonly unknown[] {
  const items: unknown[] = []
  let isRead = false
  const seen = () => {
    if (isRead) return
    isRead = true
    for (const item of read()) items.push(item)
  }
  const isOfItems = (key: string | symbol) => typeof key === 'string' && /^(length|\d+)$/.test(key)
  return new Proxy(items, {
    get(target, key, receiver) {
      if (isOfItems(key)) seen()
      return Reflect.get(target, key, receiver)
    },
    has(target, key) {
      if (isOfItems(key)) seen()
      return Reflect.has(target, key)
    },
    ownKeys(target) {
      seen()
      return Reflect.ownKeys(target)
    },
    getOwnPropertyDescriptor(target, key) {
      if (isOfItems(key)) seen()
      return Reflect.getOwnPropertyDescriptor(target, key)
    },
  })
}

function parsed(text: string, revive?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, revive)
  } catch {
    return undefined
  }
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text)
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at += 1
  return at
}
