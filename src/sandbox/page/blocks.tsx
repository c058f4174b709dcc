// Block Kit, drawn: messages, Home and modals. What is not known here throws, so that nothing vanishes silently.
import type { Block, Place, ShownModal } from '../slack/person.ts'
import { type ElementJson, Interactive } from './elements.tsx'
import { Input } from './input.tsx'
import { type SlackText, Text, withEmoji } from './markup.tsx'
import { Rich, type RichJson, Table } from './rich.tsx'

interface BlockJson {
  type?: string
  block_id?: string
  text?: SlackText
  fields?: SlackText[]
  accessory?: ElementJson
  elements?: ElementJson[]
  level?: string
  image_url?: string
  alt_text?: string
  rows?: RichJson[][]
}

/** `modal` when they stand in one: its inputs are drawn with what is typed in them. */
export function Blocks({
  blocks,
  place,
  modal,
}: {
  blocks: readonly Block[]
  place: Place
  modal?: ShownModal
}) {
  return (
    <div class="blocks">
      {blocks.map((block, at) => (
        <OneBlock key={String(block.block_id ?? at)} block={block as BlockJson} place={place} modal={modal} />
      ))}
    </div>
  )
}

function OneBlock({
  block,
  place,
  modal,
}: {
  block: BlockJson
  place: Place
  modal: ShownModal | undefined
}) {
  const inside = { place, blockId: block.block_id ?? '', modal }
  switch (block.type) {
    case 'section':
      return (
        <div class="section">
          <div class="section-text">
            <Text of={block.text} />
            {block.fields ? (
              <div class="fields">
                {block.fields.map(field => (
                  <div key={field.text}>
                    <Text of={field} />
                  </div>
                ))}
              </div>
            ) : null}
          </div>
          {block.accessory ? <Interactive element={block.accessory} {...inside} /> : null}
        </div>
      )
    case 'actions':
      return (
        <div class="actions">
          {(block.elements ?? []).map((element, at) => (
            <Interactive key={element.action_id ?? at} element={element} {...inside} />
          ))}
        </div>
      )
    case 'context':
      return (
        <div class="context">
          {(block.elements ?? []).map((element, at) => (
            <Noted key={at} element={element} />
          ))}
        </div>
      )
    case 'header':
      return <h3 class="header">{withEmoji(block.text?.text ?? '')}</h3>
    case 'divider':
      return <hr />
    case 'image':
      return <img class="image" src={block.image_url} alt={block.alt_text ?? ''} />
    case 'alert':
      return (
        <div
          class={`alert alert-${block.level ?? 'default'}`}
          role={block.level === 'error' ? 'alert' : 'note'}
        >
          <Text of={block.text} />
        </div>
      )
    case 'input':
      if (!modal) throw new Error('An input stands outside a window')
      return <Input block={block as Block} modal={modal} />
    case 'rich_text':
      return (
        <div>
          <Rich of={(block.elements ?? []) as RichJson[]} />
        </div>
      )
    case 'table':
      return <Table rows={block.rows ?? []} />
    default:
      throw new Error(`This page cannot draw a block of type ${block.type}`)
  }
}

/** What stands in a context block. */
function Noted({ element }: { element: ElementJson }) {
  if (element.type === 'image')
    return <img class="tiny" src={element.image_url} alt={element.alt_text ?? ''} />
  if (element.type !== 'mrkdwn' && element.type !== 'plain_text')
    throw new Error(`This page cannot draw a context of type ${element.type}`)
  return (
    <span>
      <Text of={element as SlackText} />
    </span>
  )
}
