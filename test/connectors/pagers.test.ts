// The pagers: each finds its end, and nothing that a vendor may send makes it ask forever.
import { describe, expect, test } from 'vitest'
import {
  continued,
  cursor,
  headerCursor,
  linkHeader,
  nextUrl,
  offset,
  onePage,
  pageNumber,
  relay,
  window,
} from '../../src/connectors/pagers.ts'

const req = { path: '/users', query: { size: '2' } }
const res = (body: unknown, headers: Record<string, string> = {}) => ({ status: 200, headers, body })

test('a Link that says it has no results is the end', () => {
  const link = (results: boolean) => ({
    link: `<https://sentry.io/x?cursor=0:100:0>; rel="next"; results="${results}"; cursor="0:100:0"`,
  })
  expect(linkHeader(req, res([], link(true)), 1)).toEqual({ path: 'https://sentry.io/x?cursor=0:100:0' })
  expect(linkHeader(req, res([], link(false)), 1)).toBeUndefined()
})

test('one answer is one page', () => {
  expect(onePage(req, res([]), 100)).toBeUndefined()
})

test('the next address takes the place of the query', () => {
  const pager = nextUrl(body => (body as { next?: string }).next)
  expect(pager(req, res({ next: '/users?page=2' }), 2)).toEqual({ path: '/users?page=2' })
  expect(pager(req, res({ next: '' }), 2)).toBeUndefined()
  expect(pager(req, res({}), 2)).toBeUndefined()
})

test('a cursor goes into the query, and an empty one is the end', () => {
  const pager = cursor('after', body => (body as { after?: unknown }).after)
  expect(pager(req, res({ after: 'c2' }), 2)).toEqual({ path: '/users', query: { size: '2', after: 'c2' } })
  expect(pager(req, res({ after: 7 }), 2)).toMatchObject({ query: { after: '7' } })
  for (const none of ['', null, undefined, {}]) expect(pager(req, res({ after: none }), 2)).toBeUndefined()
  expect(headerCursor('cursor', 'after-cursor')(req, res([], { 'after-cursor': 'c2' }), 2)).toMatchObject({
    query: { cursor: 'c2' },
  })
})

describe('an offset', () => {
  test('advances by what arrived, up to the total', () => {
    const pager = offset('skip', body => (body as { total?: unknown }).total)
    expect(pager(req, res({ total: 5 }), 2)).toMatchObject({ query: { skip: '2' } })
    expect(pager({ ...req, query: { skip: '4' } }, res({ total: '5' }), 1)).toBeUndefined()
    expect(pager({ ...req, query: { skip: '4' } }, res({ total: 9 }), 0), 'it stopped before its total').toBe(
      'short',
    )
  })

  test('without a total goes on until nothing comes', () => {
    expect(offset('startAt')(req, res([]), 1)).toMatchObject({ query: { startAt: '1' } })
    expect(offset('startAt')(req, res([]), 0)).toBeUndefined()
  })

  test('may begin at one', () => {
    const pager = offset('start', () => 4, 1)
    expect(pager({ ...req, query: { start: '1' } }, res([]), 2)).toMatchObject({ query: { start: '3' } })
    expect(pager({ ...req, query: { start: '3' } }, res([]), 2)).toBeUndefined()
  })
})

test('pages are counted until there is no other', () => {
  const pager = pageNumber('page', (_, page) => page < 2)
  expect(pager({ ...req, query: { page: '1' } }, res([]), 2)).toMatchObject({ query: { page: '2' } })
  expect(pager({ ...req, query: { page: '2' } }, res([]), 2)).toBeUndefined()
  expect(pageNumber('page')(req, res([]), 0)).toBeUndefined()
})

test('a GraphQL connection puts its cursor into the variables', () => {
  const pager = relay(body => (body as { users: object }).users)
  const asked = { path: '/graphql', body: { query: '…', variables: { first: 2 } } }
  const next = { users: { hasNextPage: true, endCursor: 'c2' } }
  expect(pager(asked, res(next), 2)).toMatchObject({
    body: { query: '…', variables: { first: 2, after: 'c2' } },
  })
  expect(pager(asked, res({ users: { hasNextPage: false, endCursor: 'c2' } }), 2)).toBeUndefined()
  expect(pager(asked, res({ users: null }), 2)).toBeUndefined()
})

test('places that are thinned out afterwards are counted by what was asked for, until a page of nobody', () => {
  const pager = window('startAt', 'maxResults')
  const asked = { path: '/users', query: { startAt: '200', maxResults: '200' } }
  expect(pager(asked, res([]), 3)).toMatchObject({ query: { startAt: '400' } })
  expect(pager({ ...asked, query: { maxResults: '100' } }, res([]), 100)).toMatchObject({
    query: { startAt: '100' },
  })
  expect(pager(asked, res([]), 0)).toBeUndefined()
})

test('a cursor that is sent elsewhere takes the place of the body', () => {
  const pager = continued('/list/continue', body => (body as { cursor?: string }).cursor)
  const asked = { path: '/list', method: 'POST' as const, body: { limit: 2 } }
  expect(pager(asked, res({ cursor: 'c2' }), 2)).toEqual({
    path: '/list/continue',
    method: 'POST',
    body: { cursor: 'c2' },
  })
  expect(pager(asked, res({}), 2)).toBeUndefined()
})
