// Manage Recipients: type an address, press Enter, it is in the list; remove; Save. Empty: only the creators of instances are told.
import { appendAudit } from '../audit/store.ts'
import { newId } from '../lib/ids.ts'
import { count } from '../lib/text.ts'
import { beginDraft, changeDraft, dropDraft, type RecipientDraft, readDraft } from '../recipients/draft.ts'
import { addressKey, listRecipients, readAddress, saveRecipients } from '../recipients/recipients.ts'
import { actions, button, context, escapeText, type SlackBlock, section } from '../slack/blocks.ts'
import { emailOnEnterInput, loadingView, metadataOf, modal, noticeView } from '../slack/modal.ts'
import type { ActionTurn, ModalView, OpenView, SubmissionAnswer, SubmissionTurn, Who } from '../slack/turn.ts'
import { problemBlock } from './credentials.ts'
import type { Gesture, House } from './gesture.ts'

const title = 'Manage Recipients'
const rowsAPage = 20
const expired =
  'This list is saved already, or its window was open for too long. Open Manage Recipients again; what was saved is kept.'

export const manageRecipientsGesture: Gesture = {
  command: {
    word: 'recipients',
    also: ['notifications', 'notify', 'emails'],
    usage: 'recipients',
    summary: 'Choose who is told by e-mail.',
    role: 'admin',
    loading: () => loadingView(title),
    run: (turn, _rest, house, opened) => begin(house, turn.who, opened),
  },
  actions: {
    recipients: {
      role: 'admin',
      loading: () => loadingView(title),
      run: (turn, house, opened) => begin(house, turn.who, opened),
    },
    'recipient-add': { role: 'admin', run: add },
    'recipient-remove': {
      role: 'admin',
      run: (turn, house) =>
        change(turn, house, { remove: [turn.value] }, place => ({
          ...place,
          said: `${turn.value} is taken out.`,
        })),
    },
    'recipient-page': {
      role: 'admin',
      run: (turn, house) =>
        change(turn, house, {}, place => ({ ...place, page: Number.parseInt(turn.value, 10) || 0 })),
    },
  },
  submissions: { recipients: { role: 'admin', run: save } },
  closed: {
    recipients: {
      role: 'anyone',
      async run(who, view, house) {
        // Only one's own: the window's metadata is a hint, never authority.
        const draft = await readDraft(house.db.conn, { id: metadataOf(view).draft ?? '', ...who })
        if (draft) await dropDraft(house.db.conn, draft.id, house.clock.now())
      },
    },
  },
}

/** Where the person is in the window. */
interface At {
  page: number
  /** Grows with each redraw after Enter: another block id empties the field. */
  turn: number
  said?: string
  problem?: string
}

async function begin(house: House, who: Who, opened: OpenView | undefined): Promise<void> {
  const base = await listRecipients(house.db.conn, { teamId: who.teamId, instanceId: null })
  const draft = { id: newId(), base, wanted: base }
  await beginDraft(house.db.conn, {
    id: draft.id,
    teamId: who.teamId,
    userId: who.userId,
    base,
    now: house.clock.now(),
  })
  await opened?.update(drawn(draft, { page: 0, turn: 0 }))
}

function drawn(draft: RecipientDraft, at: At): ModalView {
  const pages = Math.max(1, Math.ceil(draft.wanted.length / rowsAPage))
  const page = Math.min(Math.max(at.page, 0), pages - 1)
  const shown = draft.wanted.slice(page * rowsAPage, (page + 1) * rowsAPage)
  const blocks: SlackBlock[] = [
    section(
      'These people hear by e-mail of every instance of every integration: the initial sync, a failure, a recovery.',
    ),
    emailOnEnterInput({
      blockId: `recipient-add-${at.turn}`,
      actionId: 'recipient-add',
      label: 'E-mail address',
      hint: 'Type an address and press Enter to add it. Leave the list empty to tell only the creators of instances.',
      placeholder: 'name@example.com',
      optional: true,
    }),
    ...(at.problem ? [problemBlock(at.problem)] : []),
    ...(at.said ? [context(escapeText(at.said))] : []),
    ...rows(shown),
    ...(draft.wanted.length > 0
      ? [context(countText(draft.wanted.length, page, pages))]
      : [context('Nobody is in the list: only the creators of instances are told.')]),
    ...(pages > 1 ? [paging(page, pages)] : []),
  ]
  const metadata = { draft: draft.id, page: String(page), turn: String(at.turn) }
  return modal({ callbackId: 'recipients', title, submit: 'Save', blocks, metadata, notifyOnClose: true })
}

function rows(addresses: readonly string[]): SlackBlock[] {
  return addresses.map((address, at) =>
    section(
      escapeText(address),
      button({
        actionId: `recipient-remove:${at}`,
        text: 'Remove',
        value: address,
        label: `Remove ${address}`,
      }),
    ),
  )
}

function countText(total: number, page: number, pages: number): string {
  return `${count(total, 'recipient', 'recipients')}${pages > 1 ? `, page ${page + 1} of ${pages}` : ''}. Choose Save to keep this list.`
}

function paging(page: number, pages: number): SlackBlock {
  return actions(
    [
      ...(page > 0
        ? [button({ actionId: 'recipient-page:back', text: 'Previous', value: String(page - 1) })]
        : []),
      ...(page < pages - 1
        ? [button({ actionId: 'recipient-page:on', text: 'Next', value: String(page + 1) })]
        : []),
    ],
    'recipient-paging',
  )
}

async function add(turn: ActionTurn, house: House): Promise<void> {
  const read = readTyped(turn.value)
  const last = Number.MAX_SAFE_INTEGER
  await change(turn, house, { add: read.good }, (place, draft, before) => {
    const fresh = draft.wanted.length - before
    const twice = read.good.length > 0 && fresh === 0 ? `${read.good.join(', ')} is in the list already.` : ''
    return {
      page: last,
      turn: place.turn + 1,
      said: twice,
      ...(read.problem ? { problem: read.problem } : {}),
    }
  })
}

/** Change the draft and draw the window again; the window itself says where the person is. */
async function change(
  turn: ActionTurn,
  house: House,
  wanted: { add?: string[]; remove?: string[] },
  move: (place: At, draft: RecipientDraft, before: number) => At,
): Promise<void> {
  if (!turn.view) return
  const meta = metadataOf(turn.view)
  const of = { id: meta.draft ?? '', ...turn.who }
  const before = (await readDraft(house.db.conn, of))?.wanted.length ?? 0
  const draft = await house.db.transaction(tx => changeDraft(tx, of, wanted))
  const place = { page: Number(meta.page) || 0, turn: Number(meta.turn) || 0 }
  const view = draft ? drawn(draft, move(place, draft, before)) : noticeView(title, expired)
  // Two fast presses: the draft has both, whoever draws last; a window that moved on is drawn again without its hash.
  if (!(await turn.update(view))) await turn.redraw(view)
}

async function save(turn: SubmissionTurn, house: House): Promise<SubmissionAnswer> {
  const meta = metadataOf(turn.view)
  const of = { id: meta.draft ?? '', ...turn.who }
  const field = `recipient-add-${meta.turn ?? '0'}`
  // An address that was typed and not entered is meant, too.
  const pending = readTyped(turn.view.inputs.text.get(field) ?? '')
  if (pending.problem) return { kind: 'errors', errors: { [field]: pending.problem } }
  const now = house.clock.now()
  const saved = await house.db.transaction(async tx => {
    const draft = await changeDraft(tx, of, { add: pending.good })
    if (!draft) return false
    const list = { teamId: turn.who.teamId, instanceId: null }
    const current = await listRecipients(tx, list)
    const changed = await saveRecipients(tx, list, {
      addresses: merged(current, draft),
      by: turn.who.userId,
      now,
    })
    if (changed.added.length + changed.removed.length > 0) {
      await appendAudit(tx, {
        teamId: turn.who.teamId,
        actor: turn.who.userId,
        source: 'modal',
        action: 'recipients.updated',
        after: changed,
      })
    }
    await dropDraft(tx, draft.id, now)
    return true
  })
  return saved ? { kind: 'close' } : { kind: 'update', view: noticeView(title, expired) }
}

/** What this person added and took out, applied to the list as it is now: two admins at once lose nothing. */
function merged(current: readonly string[], draft: RecipientDraft): string[] {
  const wanted = new Set(draft.wanted.map(addressKey))
  const base = new Set(draft.base.map(addressKey))
  const kept = current.filter(address => wanted.has(addressKey(address)) || !base.has(addressKey(address)))
  return [...kept, ...draft.wanted.filter(address => !base.has(addressKey(address)))]
}

/** One address, or several pasted at once. */
function readTyped(typed: string): { good: string[]; problem?: string } {
  const good: string[] = []
  for (const part of typed.split(/[\s,;]+/).filter(Boolean)) {
    const read = readAddress(part)
    if (!read.ok) return { good, problem: read.reason }
    good.push(read.address)
  }
  return { good }
}
