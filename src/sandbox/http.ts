// Reading and answering HTTP for the sandbox's page and mailbox: capped bodies, JSON answers.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** The largest file that a person brings. The page sends it in base64, in one JSON body, and a hundred files are kept. */
export const uploadMaxBytes = 20_000_000
/** The largest file that the app sends: its lists for download are smaller. */
export const fileMaxBytes = 100_000_000
const bodyMaxBytes = 1_000_000

/** The most bytes that are read of a request to this path. */
export function bodyMaxOf(path: string): number {
  if (path.startsWith('/files/upload/')) return fileMaxBytes
  return path.startsWith('/page/as/') && path.endsWith('/upload')
    ? bodyMaxBytes + lettersOf(uploadMaxBytes)
    : bodyMaxBytes
}

/** How many letters so many bytes are in base64. */
export const lettersOf = (bytes: number) => Math.ceil(bytes / 3) * 4

/** The body was larger than the cap. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`The body is larger than ${Math.floor(maxBytes / 1_000_000)} MB.`)
    this.name = 'BodyTooLarge'
  }
}

/** The whole body as text. Throws BodyTooLarge above `maxBytes`. */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<string> {
  return (await readBytes(req, maxBytes)).toString('utf8')
}

/** The whole body. Throws BodyTooLarge above `maxBytes`. */
export async function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new BodyTooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Answer JSON and end. */
export function answerJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  res.end(text)
}

/** Answer one line of text and end. */
export function answerText(res: ServerResponse, status: number, sentence: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  res.end(sentence)
}
