// Edit Instance: opened by name, by Manage or by Fix; saved if nobody else did meanwhile; the way to repair, pause, resume, delete.
import { goneSince, keptOf } from '../accounts/held.ts'
import { usersOf } from '../accounts/summary.ts'
import { readAudit } from '../audit/store.ts'
import type { Connector } from '../connectors/connector.ts'
import type { Verified } from '../connectors/engine.ts'
import { ProviderError } from '../connectors/errors.ts'
import { connectorById } from '../connectors/registry.ts'
import { isUniqueViolation } from '../db/db.ts'
import { keepCredentials } from '../instances/credentials.ts'
import type { Instance } from '../instances/instance.ts'
import { findInstance } from '../instances/store.ts'
import { listRecipients } from '../recipients/recipients.ts'
import { section } from '../slack/blocks.ts'
import { loadingView, type ModalView, metadataOf, modal, noticeView } from '../slack/modal.ts'
import type { OpenView, SubmissionAnswer, SubmissionTurn, Who } from '../slack/turn.ts'
import { goingOn } from '../sync/store.ts'
import { checkMs } from './connect.ts'
import { checkingView, noticeBlocks, problemOf } from './credentials.ts'
import { editForm, type FormNotes } from './edit-form.ts'
import { readEdit, type WantedEdit } from './edit-read.ts'
import { saveEdit } from './edit-save.ts'
import type { ActionRule, Gesture, House } from './gesture.ts'
import { byName, byValue, byWindow, goneText, instanceCalled, pickInstance } from './pick.ts'
import { withUploads } from './uploads.ts'

const title = 'Edit Instance'

/** `repair`: opened to mend a revoked instance, so that Live is chosen already. */
function byButton(repair: boolean): ActionRule {
  return {
    role: 'admin',
    about: byValue,
    loading: () => loadingView(title),
    inView: 'replace',
    async run(_turn, house, opened, instance) {
      await opened?.update(instance ? await drawn(house, instance, { repair }) : noticeView(title, goneText))
    },
  }
}

export const editInstanceGesture: Gesture = {
  command: {
    word: 'manage',
    also: ['edit', 'fix', 'open'],
    usage: 'manage NAME',
    summary: 'Open Edit Instance.',
    role: 'admin',
    about: byName,
    loading: () => loadingView(title),
    async run(turn, rest, house, opened, instance) {
      if (instance) {
        await opened?.update(await drawn(house, instance))
        return
      }
      const picked = await pickInstance(house, turn.who, rest, { actionId: 'manage', verb: 'manage' })
      if ('instance' in picked) await opened?.update(await drawn(house, picked.instance))
      else await opened?.update(modal({ callbackId: 'notice', title, blocks: picked.blocks }))
    },
  },
  actions: { manage: byButton(false), fix: byButton(true) },
  submissions: { 'edit-instance': { role: 'admin', about: byWindow, run: submit } },
}

export async function drawn(house: House, instance: Instance, notes: FormNotes = {}) {
  const { conn } = house.db
  if (instance.status === 'deleting') return noticeView(title, 'This instance is being deleted.')
  const { id } = instance
  const now = house.clock.now()
  const { goneDays } = house
  const since = new Date(now.getTime() - goneDays * 86_400_000)
  const [users, recipients, kept, gone, going] = await Promise.all([
    usersOf(conn, [id]),
    listRecipients(conn, { teamId: instance.teamId, instanceId: id }),
    keptOf(conn, [id]),
    goneSince(conn, id, since),
    goingOn(conn, [id]),
  ])
  const facts = {
    ...{ users: users.get(id) ?? 0, recipients, kept: kept.get(id), going: going.get(id) },
    ...{ gone, goneDays, now },
  }
  return editForm(instance, facts, notes)
}

async function submit(
  turn: SubmissionTurn,
  house: House,
  instance: Instance | undefined,
): Promise<SubmissionAnswer> {
  const meta = metadataOf(turn.view)
  const connector = instance && connectorById(instance.connector)
  if (!instance || !connector) return { kind: 'update', view: noticeView(title, goneText) }
  const read = readEdit(house, instance, connector, turn.view)
  if (!read.ok) return { kind: 'errors', errors: read.errors }
  const wanted: WantedEdit = { ...read.wanted, version: Number(meta.version) || 0 }
  if (wanted.version !== instance.version) {
    return {
      kind: 'update',
      view: await drawn(house, instance, { changedBy: await whoChanged(house, turn.who, instance) }),
    }
  }
  if (wanted.credentials || wanted.stored) {
    return {
      kind: 'update',
      view: checkingView(title, connector, 'saves'),
      after: opened => checkThenSave(house, turn.who, instance, wanted, opened),
    }
  }
  const saved = await save(house, turn.who, instance, wanted)
  if ('hears' in saved) return { kind: 'close' }
  if ('name' in saved) return { kind: 'errors', errors: { name: saved.name } }
  return { kind: 'update', view: saved.view }
}

/** After the acknowledgement: new credentials are proven before they take the place of the old ones, and refused ones before they are Live again. */
async function checkThenSave(
  house: House,
  who: Who,
  instance: Instance,
  wanted: WantedEdit,
  opened: OpenView,
): Promise<void> {
  const connector = connectorById(instance.connector)
  if (!connector) return
  try {
    const { proven, verified } = await prove(house, instance, connector, wanted)
    const saved = await save(house, who, instance, proven)
    if ('hears' in saved) {
      const told = saved.hears ? '; you are told when it has ended' : ''
      const resumed = wanted.status === 'live' ? ` It is syncing now${told}.` : ''
      const works = connector.local ? 'The file is read' : 'The credentials work'
      const text = `:white_check_mark: ${works}, and the instance is updated.${resumed}`
      const blocks = [section(text), ...noticeBlocks(verified.notice)]
      await opened.update(modal({ callbackId: 'notice', title, blocks, close: 'Done' }))
    } else if ('view' in saved) await opened.update(saved.view)
    else await opened.update(await drawn(house, instance, { typed: wanted, problems: saved }))
  } catch (error) {
    if (!(error instanceof ProviderError)) {
      house.log.error({ err: error, instance: instance.id }, 'An instance could not be updated')
      await opened.update(
        noticeView(title, 'saasm could not save this. Nothing was changed: please try again.', 'error'),
      )
      return
    }
    await opened.update(
      await drawn(house, instance, { typed: wanted, problems: problemOf(connector, error) }),
    )
  }
}

/** Throws ProviderError. */
async function prove(
  house: House,
  instance: Instance,
  connector: Connector,
  wanted: WantedEdit,
): Promise<{ proven: WantedEdit; verified: Verified }> {
  if (wanted.credentials) {
    const given = { typed: wanted.credentials, uploads: wanted.uploads }
    const credentials = await withUploads(house.slack, connector, given)
    const verified = await house.engine.verify(connector, credentials, { timeoutMs: checkMs })
    return { proven: { ...wanted, credentials, verified }, verified }
  }
  let before = wanted.stored ?? {}
  const verified = await house.engine.verify(connector, before, {
    timeoutMs: checkMs,
    // Whatever comes of the check: the refresh token that it has rotated is dead.
    async keep(after) {
      await keepCredentials(house, instance, { connector, before, after })
      before = after
    },
  })
  return { proven: wanted, verified }
}

/** Save; what stands in the way is a name that is taken, or somebody else's change. */
async function save(
  house: House,
  who: Who,
  instance: Instance,
  wanted: WantedEdit,
): Promise<{ hears: boolean } | { name: string } | { view: ModalView }> {
  try {
    const saved = await saveEdit(house, who, instance, wanted)
    if (saved) return saved
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    const taken = await instanceCalled(house, who, wanted.name)
    return { name: `There is an instance called ${taken?.name ?? wanted.name} already.` }
  }
  const now = await findInstance(house.db.conn, who.teamId, instance.id)
  if (!now) return { view: noticeView(title, goneText) }
  return { view: await drawn(house, now, { changedBy: await whoChanged(house, who, now) }) }
}

/** The Slack user (or saasm) who changed it last. */
async function whoChanged(house: House, who: Who, instance: Instance): Promise<string> {
  const [last] = await readAudit(house.db.conn, { teamId: who.teamId, instanceId: instance.id }, 1)
  return last?.actor ?? 'saasm'
}
