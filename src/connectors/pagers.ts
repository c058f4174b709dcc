// The ways that vendors page: each turns a request and its answer into the next request, or undefined at the end.
import { at } from './bodies.ts'
import type { Pager, Req, Res } from './connector.ts'

/** RFC 8288: the address in `Link: <…>; rel="next"`; a link that says `results="false"` (Sentry) is none. */
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
  return withQuery(req, { startIndex: String(start) })
}

/** Everything came in one answer. */
export const onePage: Pager = () => undefined

/** The answer's own word for whether there is more; undefined: it has none, and only the place of the next page tells. */
type More = (body: unknown) => boolean | undefined

/** The answer's body holds the next address, whole or below the base; none or '' ends. */
export function nextUrl(pick: (body: unknown) => unknown, more?: More): Pager {
  return (req, res) => onwards(res, { pick, more }, next => whole(req, next))
}

/** The answer's body holds a cursor that goes into the query under `key`; none or '' ends. */
export function cursor(key: string, pick: (body: unknown) => unknown, more?: More): Pager {
  return (req, res) => onwards(res, { pick, more }, next => withQuery(req, { [key]: next }))
}

/** A header of the answer holds the cursor. */
export function headerCursor(key: string, header: string): Pager {
  return (req, res) => {
    const next = text(res.headers[header])
    return next === undefined ? undefined : withQuery(req, { [key]: next })
  }
}

/** `key` counts items from `first`; it advances by what arrived, until `total` is reached or, without one, nothing comes. */
export function offset(key: string, total?: (body: unknown) => unknown, first = 0): Pager {
  return (req, res, got) => {
    const next = Number(req.query?.[key] ?? first) + got
    const all = total === undefined ? undefined : count(total(res.body))
    if (all !== undefined && next - first >= all) return undefined
    if (got === 0) return all === undefined ? undefined : 'short'
    return withQuery(req, { [key]: String(next) })
  }
}

/**
 * `key` counts places from 0 and `size` says how many at a time; it advances by what was asked for, since the vendor
 * leaves people out of a page after it was cut (Jira). Only a page of nobody is the end.
 */
export function window(key: string, size: string): Pager {
  return (req, _, got) => {
    if (got === 0) return undefined
    const next = Number(req.query?.[key] ?? '0') + Number(req.query?.[size])
    return Number.isSafeInteger(next) ? withQuery(req, { [key]: String(next) }) : 'short'
  }
}

/** The answer's body holds a cursor that is sent to `path`, as the whole body; none ends (Dropbox). */
export function continued(path: string, pick: (body: unknown) => unknown, more?: More): Pager {
  return (req, res) => onwards(res, { pick, more }, next => ({ ...req, path, body: { cursor: next } }))
}

/** `key` counts pages; `more` says whether there is another, by default as long as something comes. */
export function pageNumber(
  key: string,
  more: (body: unknown, page: number, got: number) => boolean = (_, __, got) => got > 0,
): Pager {
  return (req, res, got) => {
    const page = Number(req.query?.[key] ?? '1')
    if (!more(res.body, page, got)) return undefined
    return got === 0 ? 'short' : withQuery(req, { [key]: String(page + 1) })
  }
}

/** GraphQL connections: `pageInfo { hasNextPage endCursor }`; the cursor goes into the variable `after`. */
export function relay(pick: (body: unknown) => unknown): Pager {
  const more: More = body => at(pick(body), 'hasNextPage') === true
  return (req, res) =>
    onwards(res, { pick: body => at(pick(body), 'endCursor'), more }, after => {
      const body = req.body as { variables?: object }
      return { ...req, body: { ...body, variables: { ...body.variables, after } } }
    })
}

/** To the place that the answer names; `short` where it says that there is more, and not where. */
function onwards(
  res: Res,
  { pick, more }: { pick: (body: unknown) => unknown; more: More | undefined },
  to: (next: string) => Req,
): ReturnType<Pager> {
  const isMore = more?.(res.body)
  if (isMore === false) return undefined
  const next = text(pick(res.body))
  if (next === undefined) return isMore ? 'short' : undefined
  return to(next)
}

function withQuery(req: Req, more: Record<string, string>): Req {
  return { ...req, query: { ...req.query, ...more } }
}

/** The next request is the address that the vendor gave, with its query as it stands. */
function whole(req: Req, address: string): Req {
  const { query: _, ...rest } = req
  return { ...rest, path: address }
}

function totalResults(res: Res): number | undefined {
  return count((res.body as { totalResults?: unknown } | null)?.totalResults)
}

function count(told: unknown): number | undefined {
  // Some send the number as text; anything else may not even be convertible.
  const total =
    typeof told === 'number' || typeof told === 'string'
      ? Number(told === '' ? Number.NaN : told)
      : Number.NaN
  return Number.isSafeInteger(total) && total >= 0 ? total : undefined
}

function text(told: unknown): string | undefined {
  return (typeof told === 'string' && told !== '') || typeof told === 'number' ? String(told) : undefined
}

/** The target of the first link whose relations include `next` and that has results; undefined without one. */
function nextLink(header: string): string | undefined {
  for (const [, target, parameters] of header.matchAll(
    /<([^<>]*)>((?:\s*;\s*[^\s;=,]+(?:=(?:"[^"]*"|[^\s;,"]*))?)*)/g,
  )) {
    const rel = /;\s*rel=(?:"([^"]*)"|([^\s;,]*))/i.exec(parameters ?? '')
    const isNext = (rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/).includes('next')
    if (isNext && !/;\s*results="false"/i.test(parameters ?? '')) return target
  }
  return undefined
}
