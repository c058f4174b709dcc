// The ways that vendors page: each turns a request and its answer into the next request, or undefined at the end.
import type { Pager, Req, Res } from './connector.ts'

/** RFC 8288: the address in `Link: <…>; rel="next"`. */
export const linkHeader: Pager = (req, res) => {
  const next = nextLink(res.headers.link ?? '')
  return next === undefined ? undefined : whole(req, next)
}

/** SCIM: `startIndex` advances by what arrived, until `totalResults` is reached; without that number, until nothing comes. */
export const scimPage: Pager = (req, res, got) => {
  const start = Number(req.query?.startIndex ?? '1') + got
  const total = totalResults(res)
  if (total !== undefined && start > total) return undefined
  if (got === 0) return total === undefined ? undefined : 'short'
  return { ...req, query: { ...req.query, startIndex: String(start) } }
}

/** The next request is the address that the vendor gave, with its query as it stands. */
function whole(req: Req, address: string): Req {
  const { query: _, ...rest } = req
  return { ...rest, path: address }
}

function totalResults(res: Res): number | undefined {
  const body = res.body as { totalResults?: unknown } | null
  const total = Number(body?.totalResults ?? Number.NaN)
  return Number.isSafeInteger(total) && total >= 0 ? total : undefined
}

/** The target of the first link whose relations include `next`; undefined without one. */
function nextLink(header: string): string | undefined {
  for (const [, target, parameters] of header.matchAll(
    /<([^>]*)>((?:\s*;\s*[^\s;=,]+(?:=(?:"[^"]*"|[^\s;,"]*))?)*)/g,
  )) {
    const rel = /;\s*rel=(?:"([^"]*)"|([^\s;,]*))/i.exec(parameters ?? '')
    if ((rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/).includes('next')) return target
  }
  return undefined
}
