// Notion as the contract suite meets it: a version in every request, bots among the members, a cursor after the last page as null.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const fault = (status: number, code: string) => ({ status, body: { object: 'error', status, code } })

const user = (one: Person) =>
  one.bot
    ? { object: 'user', id: one.id, type: 'bot', name: one.first, bot: {} }
    : {
        object: 'user',
        id: one.id,
        type: 'person',
        name: `${one.first} ${one.last}`,
        person: { email: one.email },
      }

export default {
  id: 'notion',
  credentials: ({ secret }) => ({ token: secret }),
  bots: true,
  proves: ({ headers }, { secret }) =>
    headers.authorization === `Bearer ${secret}` && headers['notion-version'] === '2022-06-28',
  refused: fault(401, 'unauthorized'),
  forbidden: {
    answer: fault(403, 'restricted_resource'),
    names: ['user information including e-mail addresses'],
  },
  limited: {
    answer: { ...fault(429, 'rate_limited'), headers: { 'retry-after': '4' } },
    waitMs: 4_000,
  },
  always: {
    'GET https://api.notion.com/v1/users/me': (_, { tenant }) => ({
      body: { object: 'user', id: `bot-${tenant}`, type: 'bot', bot: { workspace_name: tenant } },
    }),
  },
  routes: {
    'GET https://api.notion.com/v1/users': (asked, world) => {
      const paging = { size: 'page_size', max: 100, cursor: 'start_cursor' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      return { body: { object: 'list', results: rows.map(user), has_more: next !== null, next_cursor: next } }
    },
  },
} satisfies VendorPlan
