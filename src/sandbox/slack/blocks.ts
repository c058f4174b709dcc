// Blocks, views and messages as Slack takes them. What is not known here is refused, never ignored.
import { z } from 'zod'
import { accessory, actionElement, imageElement, inputElement, modalOnlyInputs } from './elements.ts'
import { limits } from './limits.ts'
import type { Block } from './person.ts'
import { anyText, id, mrkdwn, plain, words } from './words.ts'

export type Surface = 'message' | 'modal' | 'home'

const common = { block_id: id.optional() }

const section = z
  .strictObject({
    type: z.literal('section'),
    ...common,
    text: anyText(limits.sectionTextMax).optional(),
    fields: z
      .array(anyText(limits.sectionFieldMax))
      .min(1)
      .max(limits.sectionFieldsMax, tooMany(limits.sectionFieldsMax))
      .optional(),
    accessory: accessory.optional(),
    expand: z.boolean().optional(),
  })
  .refine(block => block.text !== undefined || block.fields !== undefined, {
    message: 'text or fields is required',
  })
const actions = z.strictObject({
  type: z.literal('actions'),
  ...common,
  elements: z.array(actionElement).min(1).max(limits.actionsElementsMax, tooMany(limits.actionsElementsMax)),
})
const context = z.strictObject({
  type: z.literal('context'),
  ...common,
  elements: z
    .array(
      z.discriminatedUnion('type', [
        plain(limits.sectionTextMax),
        mrkdwn(limits.sectionTextMax),
        imageElement,
      ]),
    )
    .min(1)
    .max(limits.contextElementsMax, tooMany(limits.contextElementsMax)),
})
const divider = z.strictObject({ type: z.literal('divider'), ...common })
const header = z.strictObject({ type: z.literal('header'), ...common, text: plain(limits.headerMax) })
const image = z.strictObject({
  type: z.literal('image'),
  ...common,
  image_url: words(limits.urlMax),
  alt_text: words(limits.altTextMax),
  title: plain(limits.imageTitleMax).optional(),
})
const input = z.strictObject({
  type: z.literal('input'),
  ...common,
  label: plain(limits.labelMax),
  element: inputElement,
  hint: plain(limits.labelMax).optional(),
  optional: z.boolean().optional(),
  dispatch_action: z.boolean().optional(),
})
const alert = z.strictObject({
  type: z.literal('alert'),
  ...common,
  text: anyText(limits.alertTextMax),
  level: z.enum(['default', 'info', 'warning', 'error', 'success']).optional(),
})
const style = z
  .strictObject({ bold: z.boolean(), italic: z.boolean(), strike: z.boolean(), code: z.boolean() })
  .partial()
const richElement = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: words(limits.sectionTextMax), style: style.optional() }),
  z.strictObject({
    type: z.literal('link'),
    url: words(limits.urlMax),
    text: words(limits.sectionTextMax).optional(),
    style: style.optional(),
  }),
  z.strictObject({ type: z.literal('emoji'), name: words(100) }),
  z.strictObject({ type: z.literal('user'), user_id: words(20) }),
])
const richSection = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(richElement) })
const richText = z.strictObject({
  type: z.literal('rich_text'),
  ...common,
  elements: z
    .array(
      z.discriminatedUnion('type', [
        richSection,
        z.strictObject({ type: z.literal('rich_text_preformatted'), elements: z.array(richElement) }),
        z.strictObject({
          type: z.literal('rich_text_list'),
          style: z.enum(['bullet', 'ordered']),
          elements: z.array(richSection),
        }),
      ]),
    )
    .min(1),
})
const cell = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raw_text'), text: words(limits.tableTextMax, 0) }),
  z.strictObject({ type: z.literal('rich_text'), elements: z.array(richSection) }),
])
const table = z.strictObject({
  type: z.literal('table'),
  ...common,
  rows: z
    .array(z.array(cell).min(1).max(limits.tableCellsMax, tooMany(limits.tableCellsMax)))
    .min(1)
    .max(limits.tableRowsMax, tooMany(limits.tableRowsMax)),
  column_settings: z
    .array(
      z
        .strictObject({
          align: z.enum(['left', 'center', 'right']).optional(),
          is_wrapped: z.boolean().optional(),
        })
        .nullable(),
    )
    .max(limits.tableCellsMax)
    .optional(),
})

const everywhere = [section, actions, context, divider, header, image, input, richText] as const
const blockOf = {
  modal: z.discriminatedUnion('type', [...everywhere, alert]),
  home: z.discriminatedUnion('type', [...everywhere]),
  message: z.discriminatedUnion('type', [...everywhere, table]),
}

const viewParts = {
  private_metadata: words(limits.privateMetadataMax, 0).optional(),
  callback_id: words(limits.idMax, 0).optional(),
  external_id: words(limits.idMax, 0).optional(),
}
const modalView = z
  .strictObject({
    type: z.literal('modal'),
    title: plain(limits.viewTextMax),
    blocks: z.array(blockOf.modal).min(1).max(limits.viewBlocksMax, tooMany(limits.viewBlocksMax)),
    close: plain(limits.viewTextMax).optional(),
    submit: plain(limits.viewTextMax).optional(),
    clear_on_close: z.boolean().optional(),
    notify_on_close: z.boolean().optional(),
    submit_disabled: z.boolean().optional(),
    ...viewParts,
  })
  .refine(view => view.submit !== undefined || !view.blocks.some(block => block.type === 'input'), {
    message: 'submit is required when an input block is within the blocks array',
    path: ['submit'],
  })
const homeView = z.strictObject({
  type: z.literal('home'),
  blocks: z.array(blockOf.home).min(1).max(limits.viewBlocksMax, tooMany(limits.viewBlocksMax)),
  ...viewParts,
})

/** What is wrong, in Slack's way: one line a problem with its JSON pointer. Empty: nothing. */
export type Problems = string[]

/** Check the blocks of a message. */
export function checkMessageBlocks(blocks: unknown): Problems {
  const schema = z.array(blockOf.message).max(limits.messageBlocksMax, tooMany(limits.messageBlocksMax))
  return [...told(schema.safeParse(blocks), '/blocks'), ...arrangement(blocks, 'message', '/blocks')]
}

/** Check a modal or Home view. */
export function checkView(view: unknown, surface: 'modal' | 'home'): Problems {
  const schema: z.ZodType = surface === 'modal' ? modalView : homeView
  const blocks = (view as { blocks?: unknown } | null)?.blocks
  return [...told(schema.safeParse(view), '/view'), ...arrangement(blocks, surface, '/view/blocks')]
}

function tooMany(max: number): string {
  return `no more than ${max} items allowed`
}

function told(read: { success: boolean; error?: z.ZodError | undefined }, root: string): Problems {
  if (read.success || !read.error) return []
  return read.error.issues.map(issue => {
    const pointer = [root, ...issue.path.map(String)].join('/')
    return `[ERROR] ${issue.message} [json-pointer:${pointer}]`
  })
}

interface Seen {
  block_id?: unknown
  type?: unknown
  element?: Element
  accessory?: Element
  elements?: unknown
}
type Element = { type?: unknown; action_id?: unknown; focus_on_load?: unknown }

/** What no single block can say: ids that repeat, inputs on the wrong surface, two focuses, two tables. */
function arrangement(blocks: unknown, surface: Surface, root: string): Problems {
  if (!Array.isArray(blocks)) return []
  const problems: Problems = []
  const ids = new Set<unknown>()
  let focuses = 0
  let tables = 0
  for (const [position, block] of (blocks as Seen[]).entries()) {
    const at = `${root}/${position}`
    if (block?.block_id !== undefined && ids.has(block.block_id)) {
      problems.push(
        `[ERROR] \`block_id\` ${String(block.block_id)} already exists [json-pointer:${at}/block_id]`,
      )
    }
    ids.add(block?.block_id)
    const elements = elementsOf(block)
    const actionIds = elements.map(element => element.action_id).filter(Boolean)
    if (new Set(actionIds).size < actionIds.length) {
      problems.push(`[ERROR] \`action_id\` already exists [json-pointer:${at}/elements]`)
    }
    focuses += elements.filter(element => element.focus_on_load === true).length
    tables += block?.type === 'table' ? 1 : 0
    if (surface !== 'modal' && modalOnlyInputs.has(String(block?.element?.type))) {
      problems.push(
        `[ERROR] unsupported type: ${String(block.element?.type)} [json-pointer:${at}/element/type]`,
      )
    }
  }
  if (focuses > 1) problems.push(`[ERROR] only one element can have focus_on_load [json-pointer:${root}]`)
  if (tables > 1) problems.push(`[ERROR] only_one_table_allowed [json-pointer:${root}]`)
  return problems
}

/** The interactive elements of a block. */
export function elementsOf(block: unknown): (Block & Element)[] {
  const seen = (block ?? {}) as Seen
  const listed = Array.isArray(seen.elements) && seen.type === 'actions' ? seen.elements : []
  return [seen.element, seen.accessory, ...listed].filter(Boolean) as (Block & Element)[]
}
