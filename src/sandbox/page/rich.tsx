// Rich text and tables: what Slack draws from a tree of pieces instead of from mrkdwn.
import { withEmoji } from './markup.tsx'
import { useKnown } from './store.ts'

export interface RichJson {
  type?: string
  /** Of a piece: how it looks; of a list: `bullet` or `ordered`. */
  style?: string | { bold?: boolean; italic?: boolean; strike?: boolean; code?: boolean }
  elements?: RichJson[]
  text?: string
  url?: string
  name?: string
  user_id?: string
}

/** A rich_text block. Throws for a part or piece that is not known here. */
export function Rich({ of }: { of: readonly RichJson[] }) {
  return (
    <>
      {of.map((part, at) => (
        <Part key={at} part={part} />
      ))}
    </>
  )
}

function Part({ part }: { part: RichJson }) {
  const pieces = part.elements ?? []
  if (part.type === 'rich_text_preformatted') return <pre tabIndex={0}>{drawn(pieces)}</pre>
  if (part.type === 'rich_text_section') return <div class="rich">{drawn(pieces)}</div>
  if (part.type !== 'rich_text_list') throw new Error(`This page cannot draw rich text of type ${part.type}`)
  const items = pieces.map((item, at) => <li key={at}>{drawn(item.elements ?? [])}</li>)
  return part.style === 'ordered' ? <ol>{items}</ol> : <ul>{items}</ul>
}

function drawn(pieces: readonly RichJson[]) {
  return pieces.map((piece, at) => <Piece key={at} piece={piece} />)
}

function Piece({ piece }: { piece: RichJson }) {
  const { server } = useKnown()
  switch (piece.type) {
    case 'text':
      return <span class={looks(piece)}>{withEmoji(piece.text ?? '')}</span>
    case 'link':
      if (!/^https?:/.test(piece.url ?? ''))
        return <span class={looks(piece)}>{piece.text ?? piece.url}</span>
      return (
        <a class={looks(piece)} href={piece.url ?? ''} target="_blank" rel="noreferrer noopener">
          {piece.text ?? piece.url}
        </a>
      )
    case 'emoji':
      return <span>{withEmoji(`:${piece.name ?? ''}:`)}</span>
    case 'user': {
      const user = server?.slack.users.find(one => one.id === piece.user_id)
      return <span class="mention">@{user?.realName ?? piece.user_id}</span>
    }
    default:
      throw new Error(`This page cannot draw rich text of type ${piece.type}`)
  }
}

function looks({ style }: RichJson): string {
  if (typeof style !== 'object') return ''
  return Object.entries(style)
    .filter(([, on]) => on)
    .map(([name]) => `rich-${name}`)
    .join(' ')
}

/** The first row is the head, as Slack draws it. */
export function Table({ rows }: { rows: readonly (readonly RichJson[])[] }) {
  const [head, ...body] = rows
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            {(head ?? []).map((cell, at) => (
              <th key={at} scope="col">
                <Cell cell={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column}>
                  <Cell cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Cell({ cell }: { cell: RichJson }) {
  if (cell.type === 'raw_text') return <>{cell.text}</>
  if (cell.type === 'rich_text') return <Rich of={cell.elements ?? []} />
  throw new Error(`This page cannot draw a cell of type ${cell.type}`)
}
