// The body of an answer: gathered, unpacked and read as text, and never more of it than may be.
import { isAscii } from 'node:buffer'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { breathe } from '../lib/breath.ts'
import { ProviderError } from './errors.ts'

const roomMinBytes = 64 * 1024
/** The most that is taken at once, on a vendor's word as for want of it. */
const roomMaxBytes = 1024 * 1024
/** As many as fetch undoes. */
const codingsMax = 5

/** An empty body; `saidBytes` is how much the vendor says will come. `add` throws ProviderError `unreadable` above `maxBytes`. */
export function createBody(maxBytes: number, saidBytes: number) {
  // Blocks and no list of chunks: bytes that come singly would each take a hundred with them.
  const full: Buffer[] = []
  let block = Buffer.allocUnsafe(Math.min(Math.max(saidBytes, roomMinBytes), roomMaxBytes))
  let [used, bytes] = [0, 0]
  return {
    add(chunk: Uint8Array) {
      bytes += chunk.length
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      for (let taken = 0; taken < chunk.length; ) {
        if (used === block.length) {
          full.push(block)
          block = Buffer.allocUnsafe(Math.min(block.length * 2, roomMaxBytes))
          used = 0
        }
        const some = chunk.subarray(taken, taken + block.length - used)
        block.set(some, used)
        used += some.length
        taken += some.length
      }
    },
    /** In one piece; of a long one the blocks are put together with a breath between them. */
    async whole(): Promise<Buffer> {
      if (full.length === 0) return block.subarray(0, used)
      const whole = Buffer.allocUnsafeSlow(bytes)
      let at = 0
      for (const one of [...full, block.subarray(0, used)]) {
        whole.set(one, at)
        at += one.length
        await breathe()
      }
      return whole
    },
  }
}

type Unpack = (packed: Buffer, maxOutputLength: number) => Promise<Buffer>

// Half a stream is given as far as it goes, as fetch and cURL do.
const options = { finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: roomMinBytes }
const gunzip: Unpack = (packed, maxOutputLength) =>
  promisify(zlib.gunzip)(packed, { ...options, maxOutputLength })
const inflate: Unpack = (packed, maxOutputLength) => {
  // Some send the bare stream under this name, which has no header.
  const hasHeader = ((packed[0] ?? 0) & 0x0f) === 8
  return promisify(hasHeader ? zlib.inflate : zlib.inflateRaw)(packed, { ...options, maxOutputLength })
}
const brotli: Unpack = (packed, maxOutputLength) => {
  const finishFlush = zlib.constants.BROTLI_OPERATION_FLUSH
  return promisify(zlib.brotliDecompress)(packed, { ...options, finishFlush, maxOutputLength })
}
const unpacks: ReadonlyMap<string, Unpack> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', brotli],
])

/** The codings that `unpacked` undoes, for a request to name. */
export const acceptEncoding = 'br, gzip, deflate'

/**
 * Undo what a `content-encoding` names, the last first; a body in a coding that is not known stays as it is.
 * Throws ProviderError `unreadable` when any layer is more than `maxBytes`, and the errors of what is packed wrongly.
 */
export async function unpacked(body: Buffer, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  const codings = contentEncoding.toLowerCase().split(',')
  if (codings.length > codingsMax)
    throw new ProviderError('broken', {
      message: 'The connection failed.',
      detail: `packed ${codings.length} times`,
    })
  const undo = codings.reverse().map(coding => unpacks.get(coding.trim()))
  let found = body
  if (undo.includes(undefined)) return found
  try {
    for (const unpack of undo) if (unpack && found.length > 0) found = await unpack(found, maxBytes)
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(maxBytes)
    throw error
  }
  return found
}

const utf8 = new TextDecoder()

/** A body as text: UTF-8, without its byte order mark. */
export function textOf(body: Buffer): string {
  // Most are ASCII, for which there is nothing to decode.
  return isAscii(body) ? body.toString('latin1') : utf8.decode(body)
}

function tooLarge(maxBytes: number): ProviderError {
  return new ProviderError('unreadable', {
    message: 'The answer is too large to read.',
    detail: `body above ${maxBytes} bytes`,
  })
}
