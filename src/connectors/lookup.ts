// A second list about the same people, read whole before the listings, for what they do not say themselves.
import { askedOf, providerError } from './answers.ts'
import type { Connector, Credentials, Looked, Req } from './connector.ts'
import type { StreamEnd } from './engine.ts'
import { ProviderError } from './errors.ts'
import { type Ask, refuseLoop } from './loop.ts'

/** Nothing was looked up. */
export const nothingLooked: Looked = new Map()

/** The whole lookup of a connector; what cannot be read of it is told in `end` and left out. Throws ProviderError. */
export async function lookUp(
  ask: Ask,
  connector: Connector,
  credentials: Credentials,
  end: StreamEnd,
): Promise<Looked> {
  const { lookup } = connector
  const first = lookup?.request(credentials)
  if (!lookup || !first) return nothingLooked
  const looked = new Map<string, string>()
  const seen = { origin: new URL(connector.base(credentials)).origin, requests: new Set<string>() }
  try {
    let next: Req | undefined = first
    for (let page = 1; next !== undefined; page++) {
      const asked = askedOf({ connector, credentials, place: 'run' }, next)
      refuseLoop(asked, next, { ...seen, page })
      const { req, res } = await ask(next, lookup.scopes)
      const items = lookup.items(res.body)
      if (!items) throw providerError(asked, 'unreadable', `${asked.what} ${res.status} no ${lookup.name}`)
      for (const item of items) {
        const entry = lookup.entry(item)
        if (entry) looked.set(...entry)
      }
      const following = lookup.page(req, res, items.length)
      next = following === 'short' ? undefined : following
    }
  } catch (error) {
    // A wait or a broken vendor is waited out by the run: only what will stay refused is done without.
    if (!(error instanceof ProviderError) || ['busy', 'broken', 'credentials'].includes(error.problem))
      throw error
    const needs = error.missing.length > 0 ? `, which needs ${error.missing.join(', ')}` : ''
    const warning = `Not reported: ${lookup.name}${needs}.`
    if (!end.warnings.includes(warning)) end.warnings.push(warning)
  }
  return looked
}
