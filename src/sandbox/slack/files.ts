// Files that people put into file inputs: kept in memory, handed to the app under files:read.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

interface StoredFile {
  id: string
  name: string
  mimetype: string
  bytes: Buffer
}

export interface Files {
  put(file: Omit<StoredFile, 'id'>): StoredFile
  /** Slack's file object in a state value. */
  payload(id: string): Record<string, unknown> | undefined
  /** Serve `/files/ID` to the app's own token; false for another path. */
  handle(req: IncomingMessage, res: ServerResponse): boolean
}

/** The newest are kept. */
const filesMax = 100
/** The stand-in's own limit: the page sends a file in one JSON body. */
const fileBytesMax = 700_000

export function createFiles(options: {
  selfUrl: () => string
  botToken: string
  scopes: readonly string[]
}): Files {
  const files = new Map<string, StoredFile>()
  return {
    put(file) {
      if (file.bytes.length > fileBytesMax) throw new Error(`The file is larger than ${fileBytesMax} bytes`)
      const stored = { ...file, id: `F${randomBytes(5).toString('hex').toUpperCase()}` }
      files.set(stored.id, stored)
      for (const [oldest] of files) if (files.size > filesMax) files.delete(oldest)
      return stored
    },
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
    handle(req, res) {
      const path = new URL(req.url ?? '/', 'http://slack').pathname
      if (!path.startsWith('/files/')) return false
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
