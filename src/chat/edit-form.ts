// The Edit Instance window as it is drawn: notices first, then the fields, then what deletes.
import type { Kept } from '../accounts/held.ts'
import { connectorById } from '../connectors/registry.ts'
import {
  type Instance,
  removalPeopleLimit,
  removalPercentLimit,
  scheduleHoursChoices,
} from '../instances/instance.ts'
import { count } from '../lib/text.ts'
import {
  actions,
  alert,
  button,
  context,
  divider,
  escapeText,
  type SlackBlock,
  section,
} from '../slack/blocks.ts'
import {
  channelInput,
  modal,
  numberInput,
  radioInput,
  selectInput,
  textInput,
  userInput,
} from '../slack/modal.ts'
import type { ModalView } from '../slack/turn.ts'
import type { GoingOn } from '../sync/store.ts'
import { nameMax } from './connect.ts'
import { credentialInputs, type FieldProblems, problemBlock } from './credentials.ts'
import type { WantedEdit } from './edit-read.ts'
import { reviewButton } from './held-review.ts'
import { goneLatelyText } from './history.ts'
import { freshness, goingText, keptText, statusText } from './tiles.ts'

export interface FormFacts {
  users: number
  /** Its own recipients, beside the common ones. */
  recipients: readonly string[]
  /** Who stays reported although runs do not find them; undefined: nobody. */
  kept: Kept | undefined
  /** Who vanished in the last `goneDays`. */
  gone: number
  /** What goes on there; undefined: nothing. */
  going: GoingOn | undefined
  goneDays: number
  now: Date
}

export interface FormNotes {
  /** Somebody changed it since it was opened: the Slack user, or `saasm`. */
  changedBy?: string
  /** What the person had typed, to draw it again. */
  typed?: WantedEdit
  problems?: FieldProblems
  /** Opened by Fix: a revoked instance is shown as it will be, Live. */
  repair?: boolean
  /** Drawn again in place: the version that its inputs are named by, so that what was typed stays. */
  inputsOf?: string | undefined
}

export function editForm(instance: Instance, facts: FormFacts, notes: FormNotes): ModalView {
  const { typed, problems = {} } = notes
  const connector = connectorById(instance.connector)
  const blocks: SlackBlock[] = [
    ...noticesOf(instance, notes),
    context(
      `${connector?.emoji ?? ''} ${escapeText(connector?.name ?? instance.connector)} · ${statusText(instance)} · ${count(facts.users, 'user', 'users')} · ${freshness(instance, facts.now)}`,
    ),
    ...(facts.going ? [context(goingText(facts.going))] : []),
    ...(facts.gone > 0 ? [context(goneLatelyText(facts.gone, facts.goneDays))] : []),
    ...(facts.kept ? [context(keptText(instance, facts.kept))] : []),
    textInput({ blockId: 'name', label: 'Name', initial: typed?.name ?? instance.name, max: nameMax }),
    ...(problems.name ? [problemBlock(problems.name)] : []),
    radioInput({
      blockId: 'status',
      label: 'Status',
      initial: typed?.status ?? statusShown(instance, notes),
      choices: [
        { value: 'live', label: 'Live', description: 'Syncs on schedule. Set Live again, it syncs at once.' },
        {
          value: 'inactive',
          label: 'Inactive',
          description: 'Stops syncing and keeps its users; they may get out of date.',
        },
      ],
    }),
    selectInput({
      blockId: 'schedule',
      label: 'Sync every',
      initial: String(typed?.scheduleHours ?? instance.scheduleHours),
      choices: scheduleHoursChoices.map(hours => ({
        value: String(hours),
        label: count(hours, 'hour', 'hours'),
      })),
    }),
    ...(connector ? credentialInputs(connector, typed?.settings ?? instance.settings, problems, true) : []),
    userInput({ blockId: 'owner', label: 'Owner', initial: typed?.owner ?? instance.owner }),
    textInput({
      blockId: 'recipients',
      label: 'Recipients of this instance',
      hint: 'E-mail addresses, one a line, told beside those of Manage Recipients.',
      initial: (typed?.recipients ?? facts.recipients).join('\n'),
      max: 3000,
      multiline: true,
      optional: true,
    }),
    channelInput({
      blockId: 'channel',
      label: 'Channel of its own',
      hint: 'Announcements go there instead of the sync channel. Invite saasm to it first.',
      initial: (typed ? typed.channel : instance.channel) ?? undefined,
      optional: true,
    }),
    numberInput({
      blockId: 'removal-people',
      label: 'Hold removals of more than this many people',
      hint: 'A sync that would take away more than this many people and more than the share below is held back, and an admin is asked in the channel. Whom the application has disabled counts too. Everybody at once is always held.',
      initial: typed?.removalPeopleMax ?? instance.removalPeopleMax,
      min: 0,
      max: removalPeopleLimit,
    }),
    numberInput({
      blockId: 'removal-percent',
      label: '… and of more than this share, in percent',
      hint: 'With 100 here, or with more people above than there are users, only a removal of everybody is held.',
      initial: typed?.removalPercentMax ?? instance.removalPercentMax,
      min: 0,
      max: removalPercentLimit,
    }),
    divider(),
    actions(
      [
        ...(facts.kept ? [reviewButton(instance)] : []),
        button({ actionId: 'delete-users', text: 'Delete All Users', value: instance.id }),
        button({ actionId: 'delete-instance', text: 'Delete Instance', value: instance.id, style: 'danger' }),
      ],
      'delete',
    ),
  ]
  const inputs = notes.inputsOf ?? String(instance.version)
  return modal({
    callbackId: 'edit-instance',
    title: 'Edit Instance',
    submit: 'Update Instance',
    blocks: blocks.map(block => ofVersion(block, inputs)),
    metadata: { instance: instance.id, version: String(instance.version), inputs },
  })
}

/** Slack keeps what a person typed where the ids stay: an input of another version shows what is stored now. */
function ofVersion(block: SlackBlock, version: string): SlackBlock {
  if (block.type !== 'input') return block
  const actionId = `${block.block_id ?? ''}:${version}`
  return { ...block, element: { ...block.element, action_id: actionId } }
}

function statusShown(instance: Instance, notes: FormNotes): 'live' | 'inactive' {
  const revoked = instance.inactiveReason !== null && instance.inactiveReason !== 'user'
  return instance.status === 'live' || (notes.repair && revoked) ? 'live' : 'inactive'
}

function noticesOf(instance: Instance, notes: FormNotes): SlackBlock[] {
  const notices: SlackBlock[] = []
  if (notes.problems?.['']) notices.push(problemBlock(notes.problems['']))
  if (notes.changedBy) {
    const who = notes.changedBy === 'saasm' ? 'saasm' : `<@${notes.changedBy}>`
    notices.push(
      section(
        `:warning: ${who} has changed this instance since you opened it. Nothing of yours was saved; this is how it is now.`,
      ),
    )
  }
  if (instance.inactiveReason === 'user') {
    const who = instance.inactiveBy ? ` by <@${instance.inactiveBy}>` : ''
    notices.push(
      alert(`Set Inactive${who}. Its users may be out of date. Set it Live to sync again.`, 'warning'),
    )
  } else if (instance.inactiveReason) {
    const lacking = instance.inactiveReason === 'insufficient_permissions'
    const mend = lacking ? 'Once it has the permission' : 'Give it a token that works'
    notices.push(
      section(
        `:no_entry: saasm set this instance Inactive. ${escapeText(instance.inactiveDetail ?? '')} ${mend}, set it *Live* and choose *Update Instance*. If that does not help, delete all users, delete the instance and connect it again.`,
      ),
    )
  }
  return notices
}
