// The tiles: every integration with its instances, status, users and last good sync, each with Manage; for messages and Home.
import { type Kept, keptOf } from '../accounts/held.ts'
import { usersOf } from '../accounts/summary.ts'
import { connectorById } from '../connectors/registry.ts'
import { type Instance, statusWords } from '../instances/instance.ts'
import { listInstances } from '../instances/store.ts'
import { count } from '../lib/text.ts'
import {
  actions,
  button,
  context,
  dayText,
  divider,
  escapeText,
  header,
  momentText,
  type SlackBlock,
  section,
} from '../slack/blocks.ts'
import { type GoingOn, goingOn } from '../sync/store.ts'
import { namesOf } from './connect-choice.ts'
import type { House } from './gesture.ts'
import { undeliveredBlocks } from './undelivered.ts'

/** Tiles of one page: two blocks each and a heading each at worst stay under 50 blocks. */
export const tilesAPage = 12

export async function tiles(house: House, teamId: string, page: number): Promise<SlackBlock[]> {
  const all = await listInstances(house.db.conn, teamId)
  const byApp = all.toSorted((a, b) => appName(a).localeCompare(appName(b)))
  const pages = Math.max(1, Math.ceil(byApp.length / tilesAPage))
  const at = Math.min(Math.max(page, 0), pages - 1)
  const shown = byApp.slice(at * tilesAPage, (at + 1) * tilesAPage)
  const { conn } = house.db
  const ids = shown.map(instance => instance.id)
  const [users, kept, going] = await Promise.all([usersOf(conn, ids), keptOf(conn, ids), goingOn(conn, ids)])
  const blocks: SlackBlock[] = [
    header('Integrations'),
    actions(topButtons(), 'integrations-top'),
    ...(await undeliveredBlocks(house, teamId)),
  ]
  if (all.length === 0) {
    blocks.push(section(`No application is connected yet. saasm can connect ${namesOf(house.connectors)}.`))
  }
  let app = ''
  for (const [position, instance] of shown.entries()) {
    if (appName(instance) !== app) {
      app = appName(instance)
      blocks.push(
        divider(),
        section(`${connectorById(instance.connector)?.emoji ?? ':gear:'} *${escapeText(app)}*`),
      )
    }
    const { id } = instance
    const facts = { users: users.get(id) ?? 0, kept: kept.get(id), going: going.get(id) }
    blocks.push(tile(instance, facts, position, house.clock.now()))
  }
  if (pages > 1) blocks.push(...paging(at, pages, all.length))
  const unused = house.connectors.filter(
    connector => !all.some(instance => instance.connector === connector.id),
  )
  if (all.length > 0 && unused.length > 0) {
    blocks.push(context(`Not connected yet: ${namesOf(unused)}.`))
  }
  return blocks
}

function topButtons() {
  return [
    button({ actionId: 'connect', text: 'Connect an application', value: '', style: 'primary' }),
    button({ actionId: 'recipients', text: 'Manage Recipients', value: '' }),
  ]
}

interface TileFacts {
  users: number
  kept: Kept | undefined
  going: GoingOn | undefined
}

function tile(instance: Instance, facts: TileFacts, position: number, now: Date): SlackBlock {
  const { users, kept, going } = facts
  const manage = button({
    actionId: `manage:${position}`,
    text: 'Manage',
    value: instance.id,
    label: `Manage ${instance.name}`,
  })
  const lines = [
    `*${escapeText(instance.name)}*${instance.tenantName ? ` (${escapeText(instance.tenantName)})` : ''}`,
    statusText(instance),
    `${count(users, 'user', 'users')} · ${freshness(instance, now)}`,
    ...(going ? [goingText(going)] : []),
    ...(kept ? [keptText(instance, kept)] : []),
  ]
  return section(lines.join('\n'), manage)
}

/** What goes on just now, and how far it is. */
export function goingText({ peopleRead, removed, total }: GoingOn): string {
  if (peopleRead !== null)
    return `:arrows_counterclockwise: syncing: ${count(peopleRead, 'person', 'people')} so far`
  const of = total === null ? '' : ` of ${total.toLocaleString('en-US')}`
  return `:wastebasket: deleting: ${(removed ?? 0).toLocaleString('en-US')}${of} users removed`
}

/** Who stays reported although the application does not list them so, and since when. */
export function keptText(instance: Instance, kept: Kept): string {
  const app = escapeText(appName(instance))
  const are = count(kept.people, 'user is', 'users are')
  return `:warning: ${are} still reported, but not listed so by ${app} since ${dayText(kept.since)}`
}

/** Status and how the last sync ended, in words; the sign before them only repeats it. */
export function statusText(instance: Instance): string {
  const status = statusWords[instance.status]
  if (instance.status === 'deleting') return `:wastebasket: ${status}: its users are being removed`
  if (instance.status === 'inactive') return `:white_circle: ${status}: ${whyInactive(instance)}`
  if (instance.lastOutcome === 'failed') return `:red_circle: ${status}, the last sync failed`
  if (instance.lastOutcome === 'partial') return `:large_yellow_circle: ${status}, the last sync was partial`
  if (instance.lastOutcome === 'held')
    return `:large_yellow_circle: ${status}, a removal of users is held back`
  if (instance.lastOutcome === 'never')
    return `:hourglass_flowing_sand: ${status}, the initial sync has not ended yet`
  return `:large_green_circle: ${status}`
}

/** Why an instance is Inactive, and by whom. */
export function whyInactive(instance: Instance): string {
  if (instance.inactiveReason === 'user')
    return instance.inactiveBy ? `set by <@${instance.inactiveBy}>` : 'set by a person'
  if (instance.inactiveReason === 'insufficient_permissions') return 'its token lacks a permission'
  return 'its token was refused'
}

/** How old the data is. */
export function freshness(instance: Instance, now: Date): string {
  if (!instance.lastSuccessAt) return 'never synced'
  const days = Math.floor((now.getTime() - instance.lastSuccessAt.getTime()) / 86_400_000)
  const age = days > 0 ? `, data is ${count(days, 'day', 'days')} old` : ''
  return `last good sync ${momentText(instance.lastSuccessAt)}${age}`
}

function paging(page: number, pages: number, total: number): SlackBlock[] {
  const buttons = [
    ...(page > 0
      ? [button({ actionId: 'integrations-page:back', text: 'Previous', value: String(page - 1) })]
      : []),
    ...(page < pages - 1
      ? [button({ actionId: 'integrations-page:on', text: 'Next', value: String(page + 1) })]
      : []),
  ]
  return [
    actions(buttons, 'integrations-paging'),
    context(`Page ${page + 1} of ${pages}, ${count(total, 'instance', 'instances')}`),
  ]
}

function appName(instance: Instance): string {
  return connectorById(instance.connector)?.name ?? instance.connector
}
