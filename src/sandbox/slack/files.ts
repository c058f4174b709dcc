// Files: those that people put into file inputs, handed to the app under files:read, and those that the app uploads for people.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { BodyTooLarge, fileMaxBytes, readBytes, uploadMaxBytes } from '../http.ts'
import { Refusal } from './refusal.ts'

export interface StoredFile {
  id: string
  name: string
  mimetype: string
  bytes: Buffer
}

export interface Files {
  put(file: Omit<StoredFile, 'id'>): StoredFile
  /** An address to upload to, once, as `files.getUploadURLExternal` gives it. */
  reserve(name: string, length: number): { id: string; address: string }
  /** What was uploaded under this id. Throws a refusal where nothing was. */
  share(id: string): StoredFile
  /** What a person opens: the file as it was uploaded. */
  open(id: string): StoredFile | undefined
  /** Slack's file object in a state value. */
  payload(id: string): Record<string, unknown> | undefined
  /** Serve `/files/ID` to the app's own token, and take an upload; false for another path. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>
}

/** The newest are kept, of so many bytes together: and the last one, whatever its size. */
const filesMax = 100
const keptBytesMax = 200_000_000

export function createFiles(options: {
  selfUrl: () => string
  botToken: string
  scopes: readonly string[]
}): Files {
  const files = new Map<string, StoredFile>()
  /** Upload addresses that were given out, by their secret part: they need no token. */
  const reserved = new Map<string, { id: string; name: string; length: number }>()
  const newId = () => `F${randomBytes(5).toString('hex').toUpperCase()}`
  const keep = (stored: StoredFile) => {
    files.set(stored.id, stored)
    let bytes = 0
    for (const file of files.values()) bytes += file.bytes.length
    for (const [oldest, file] of files) {
      if (files.size <= 1 || (files.size <= filesMax && bytes <= keptBytesMax)) break
      bytes -= file.bytes.length
      files.delete(oldest)
    }
    return stored
  }

  async function upload(ticket: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const wanted = reserved.get(ticket)
    const bytes = await readBytes(req, fileMaxBytes)
    if (!wanted || req.method !== 'POST') {
      res.writeHead(404).end()
      return
    }
    if (bytes.length !== wanted.length) {
      res.writeHead(400, { 'content-type': 'text/plain' }).end('The length is not the one that was announced')
      return
    }
    reserved.delete(ticket)
    keep({ id: wanted.id, name: wanted.name, mimetype: 'text/csv', bytes })
    res.writeHead(200, { 'content-type': 'text/plain' }).end(`OK - ${bytes.length}`)
  }

  return {
    put(file) {
      if (file.bytes.length > uploadMaxBytes) throw new BodyTooLarge(uploadMaxBytes)
      return keep({ ...file, id: newId() })
    },
    reserve(name, length) {
      const [id, ticket] = [newId(), randomBytes(12).toString('hex')]
      reserved.set(ticket, { id, name, length })
      return { id, address: `${options.selfUrl()}/files/upload/${ticket}` }
    },
    share(id) {
      const file = files.get(id)
      if (!file) throw new Refusal('file_not_found')
      return file
    },
    open: id => files.get(id),
    payload(id) {
      const file = files.get(id)
      if (!file) return undefined
      const url = `${options.selfUrl()}/files/${id}`
      const { name, mimetype, bytes } = file
      return {
        id,
        name,
        title: name,
        mimetype,
        size: bytes.length,
        url_private: url,
        url_private_download: url,
      }
    },
    async handle(req, res) {
      const path = new URL(req.url ?? '/', 'http://slack').pathname
      if (!path.startsWith('/files/')) return false
      if (path.startsWith('/files/upload/')) {
        await upload(path.slice('/files/upload/'.length), req, res)
        return true
      }
      const file = files.get(path.slice('/files/'.length))
      const allowed =
        req.headers.authorization === `Bearer ${options.botToken}` && options.scopes.includes('files:read')
      // Slack answers a stranger with its sign-in page.
      if (!allowed) res.writeHead(302, { location: 'https://slack.com/signin' }).end()
      else if (!file) res.writeHead(404).end()
      else res.writeHead(200, { 'content-type': file.mimetype }).end(file.bytes)
      return true
    },
  }
}
