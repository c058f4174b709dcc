// Slack's text: mrkdwn with links, mentions, dates and emoji; and plain text with emoji. Nothing is ever taken as HTML.
import type { ComponentChildren } from 'preact'
import { emoji } from './emoji.ts'
import { useKnown } from './store.ts'

/** `:name:` as its sign; an unknown name stays as it is written. */
export function withEmoji(text: string): string {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name: string) => emoji[name] ?? whole)
}

export interface SlackText {
  type?: string
  text?: string
}

export function Text({ of }: { of: SlackText | undefined }) {
  if (!of?.text) return null
  return of.type === 'plain_text' ? <span>{withEmoji(of.text)}</span> : <Markup text={of.text} />
}

const token =
  /```([\s\S]+?)```|`([^`\n]+)`|<([^<>]+)>|(^|[\s(.,~_])\*([^*\n]+)\*(?=$|[\s).,:;!?~_])|(^|[\s(])_([^_\n]+)_(?=$|[\s).,:;!?])|(^|[\s(])~([^~\n]+)~(?=$|[\s).,:;!?])|(\n)/

export function Markup({ text }: { text: string }) {
  return <>{parts(text)}</>
}

function parts(text: string): ComponentChildren[] {
  const out: ComponentChildren[] = []
  let rest = text
  for (let guard = 0; rest && guard < 2_000; guard += 1) {
    const found = token.exec(rest)
    if (!found) break
    const [whole, pre, code, angle, beforeBold, bold, beforeItalic, italic, beforeStrike, strike, line] =
      found
    out.push(plain(rest.slice(0, found.index)))
    if (pre !== undefined)
      out.push(
        <pre tabIndex={0} key={guard}>
          {unescaped(pre)}
        </pre>,
      )
    else if (code !== undefined) out.push(<code key={guard}>{unescaped(code)}</code>)
    else if (angle !== undefined) out.push(<Angle key={guard} content={angle} />)
    else if (bold !== undefined) out.push(beforeBold, <strong key={guard}>{parts(bold)}</strong>)
    else if (italic !== undefined) out.push(beforeItalic, <em key={guard}>{parts(italic)}</em>)
    else if (strike !== undefined) out.push(beforeStrike, <s key={guard}>{parts(strike)}</s>)
    else if (line !== undefined) out.push(<br key={guard} />)
    rest = rest.slice(found.index + whole.length)
  }
  out.push(plain(rest))
  return out
}

function plain(text: string): string {
  return withEmoji(unescaped(text))
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

/** What stands between < and >: a person, a channel, a date, a link. */
function Angle({ content }: { content: string }) {
  const { server } = useKnown()
  const [target = '', label] = content.split('|')
  if (target.startsWith('@')) {
    const user = server?.slack.users.find(one => one.id === target.slice(1))
    return <span class="mention">@{user?.realName ?? target.slice(1)}</span>
  }
  if (target.startsWith('#')) {
    const channel = server?.slack.channels.find(one => one.id === target.slice(1))
    return <span class="mention">#{channel?.name ?? label ?? target.slice(1)}</span>
  }
  if (target.startsWith('!date^')) return <Moment content={target} fallback={label ?? ''} />
  if (target.startsWith('!')) return <span class="mention">@{target.slice(1)}</span>
  if (!/^https?:/.test(target)) return <>{`<${content}>`}</>
  return (
    <a href={target} target="_blank" rel="noreferrer noopener">
      {plain(label ?? target)}
    </a>
  )
}

function Moment({ content, fallback }: { content: string; fallback: string }) {
  const { server } = useKnown()
  const seconds = Number(content.split('^')[1])
  if (!Number.isFinite(seconds)) return <>{fallback}</>
  const date = new Date(seconds * 1000)
  return (
    <time dateTime={date.toISOString()} title={fallback}>
      {dayOf(date, new Date(server?.clock.now ?? Date.now()))} at{' '}
      {date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
    </time>
  )
}

function dayOf(date: Date, today: Date): string {
  if (date.toDateString() === today.toDateString()) return 'Today'
  return date.toLocaleDateString(undefined, { month: 'short', day: 'numeric', year: 'numeric' })
}
