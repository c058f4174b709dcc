// The whole page: workspace and people at the left, a channel, Home, the mailbox or the vendors at the right, windows on top.
import { useEffect, useState } from 'preact/hooks'
import type { PersonState, ShownUser } from '../slack/person.ts'
import { Blocks } from './blocks.tsx'
import { Boundary } from './boundary.tsx'
import { Channel } from './channel.tsx'
import { Mailbox } from './mailbox.tsx'
import { Modal } from './modal.tsx'
import { advance, become, openHome, start, useKnown } from './store.ts'
import { Vendors } from './vendors.tsx'

export function Workspace() {
  const { server, offline } = useKnown()
  const [at, go] = useState(() => location.hash.slice(1) || 'C0SYNC')
  useEffect(start, [])
  useEffect(() => {
    location.hash = at
    if (at === 'home') void openHome()
  }, [at, server?.slack.user.id])
  if (!server)
    return (
      <p class="empty">
        {offline ? 'The sandbox does not answer. Is it running?' : 'Opening the workspace…'}
      </p>
    )
  const { slack } = server
  const views = slack.views
  const top = views.at(-1)
  return (
    <div class="workspace">
      <Sidebar slack={slack} at={at} go={go} mails={server.mails.length} />
      <main class="main">
        <TopBar slack={slack} at={at} clock={server.clock} offline={offline} />
        <Place at={at} slack={slack} />
      </main>
      {top ? <Modal key={top.id} modal={top} depth={views.length} /> : null}
    </div>
  )
}

function Place({ at, slack }: { at: string; slack: PersonState }) {
  if (at === 'mailbox') return <Mailbox />
  if (at === 'vendors') return <Vendors />
  if (at === 'home') return <Home slack={slack} />
  const channel = slack.channels.find(one => one.id === at) ?? slack.channels[0]
  return channel ? (
    <Channel key={channel.id} channel={channel} />
  ) : (
    <p class="empty">You are in no channel.</p>
  )
}

function Home({ slack }: { slack: PersonState }) {
  const blocks = (slack.home as { blocks?: Record<string, unknown>[] } | null)?.blocks
  if (!blocks) return <p class="empty">The app has not shown a Home tab yet…</p>
  return (
    <div class="home">
      <Boundary of={blocks}>
        <Blocks blocks={blocks} place={{ home: true }} />
      </Boundary>
    </div>
  )
}

function titleOf(at: string, slack: PersonState): string {
  const named: Record<string, string> = { mailbox: 'Mailbox', vendors: 'Vendors', home: 'saasm: Home' }
  const channel = slack.channels.find(one => one.id === at) ?? slack.channels[0]
  return named[at] ?? (channel?.isDirect ? `${channel.name}: Messages` : `#${channel?.name ?? ''}`)
}

const hourMs = 3_600_000

function TopBar({
  slack,
  at,
  clock,
  offline,
}: {
  slack: PersonState
  at: string
  clock: { now: string; aheadMs: number }
  offline: boolean
}) {
  const ahead = Math.round(clock.aheadMs / hourMs)
  return (
    <header class="top">
      <h1>{titleOf(at, slack)}</h1>
      {offline ? (
        <p class="error" role="alert">
          The sandbox does not answer; this page shows what it knew last.
        </p>
      ) : null}
      <div class="clock" role="group" aria-label="Clock">
        <time dateTime={clock.now}>
          {new Date(clock.now).toLocaleString(undefined, {
            weekday: 'short',
            hour: '2-digit',
            minute: '2-digit',
          })}
          {ahead > 0 ? ` (${ahead} h ahead)` : ''}
        </time>
        <button
          type="button"
          class="button tiny"
          aria-label="+1 hour: move the clock ahead"
          onClick={() => void advance(hourMs)}
        >
          +1 hour
        </button>
        <button
          type="button"
          class="button tiny"
          aria-label="+1 day: move the clock ahead"
          onClick={() => void advance(24 * hourMs)}
        >
          +1 day
        </button>
      </div>
    </header>
  )
}

export function roleOf(user: ShownUser): string {
  if (user.isOwner) return 'owner'
  if (user.isAdmin) return 'admin'
  return user.isRestricted ? 'guest' : 'member'
}

function Sidebar({
  slack,
  at,
  go,
  mails,
}: {
  slack: PersonState
  at: string
  go(to: string): void
  mails: number
}) {
  const direct = slack.channels.find(channel => channel.isDirect)
  const item = (to: string, label: string, badge?: number) => (
    <li key={to}>
      <button
        type="button"
        class={at === to ? 'place chosen' : 'place'}
        aria-current={at === to ? 'page' : undefined}
        onClick={() => go(to)}
      >
        {label}
        {badge ? <span class="badge">{badge}</span> : null}
      </button>
    </li>
  )
  return (
    <nav class="side" aria-label="Workspace">
      <p class="team">{slack.team.name}</p>
      <label class="person">
        <span>You are</span>
        <select value={slack.user.id} onChange={event => become(event.currentTarget.value)}>
          {slack.users
            .filter(user => !user.isBot)
            .map(user => (
              <option key={user.id} value={user.id}>
                {user.realName} ({roleOf(user)})
              </option>
            ))}
        </select>
      </label>
      <h2>Channels</h2>
      <ul>
        {slack.channels
          .filter(channel => !channel.isDirect)
          .map(channel => item(channel.id, `# ${channel.name}`))}
      </ul>
      <h2>saasm</h2>
      <ul>
        {item('home', 'Home')}
        {direct ? item(direct.id, 'Messages') : null}
      </ul>
      <h2>Around it</h2>
      <ul>
        {item('mailbox', 'Mailbox', mails)}
        {item('vendors', 'Vendors')}
      </ul>
    </nav>
  )
}
