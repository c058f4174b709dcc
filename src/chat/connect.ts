// Connect an application: a form drawn from the connector's fields, checked against the vendor, then an instance and its initial sync.
import { appendAudit } from '../audit/store.ts'
import type { Connector, Credentials } from '../connectors/connector.ts'
import type { Verified } from '../connectors/engine.ts'
import { ProviderError } from '../connectors/errors.ts'
import { connectorById } from '../connectors/registry.ts'
import { isUniqueViolation } from '../db/db.ts'
import { sealedSecrets } from '../instances/credentials.ts'
import type { Instance } from '../instances/instance.ts'
import { createInstance, findInstance, lockTenant, matchInstances, sameTenant } from '../instances/store.ts'
import { idAt } from '../lib/ids.ts'
import { cleanText, codePoints } from '../lib/text.ts'
import { alert, context, escapeText, type SlackBlock, section } from '../slack/blocks.ts'
import { checkInput, loadingView, metadataOf, modal, noticeView, textInput } from '../slack/modal.ts'
import type { ModalView, OpenView, SubmissionAnswer, SubmissionTurn, Who } from '../slack/turn.ts'
import { requestRun } from '../sync/request.ts'
import { choiceView, meantBy } from './connect-choice.ts'
import {
  checkingView,
  credentialInputs,
  type FieldProblems,
  noticeBlocks,
  privilegesBlocks,
  problemBlock,
  problemOf,
  readTyped,
  settingsOf,
  type TypedSettings,
  typedIn,
} from './credentials.ts'
import type { Gesture, House } from './gesture.ts'
import { instanceCalled } from './pick.ts'
import { problemsBut, type Uploads, uploadsIn, withUploads } from './uploads.ts'

const title = 'Connect'
export const nameMax = 80
/** How long a check against the vendor may take. */
export const checkMs = 10_000

export const connectGesture: Gesture = {
  command: {
    word: 'connect',
    also: ['add', 'integrate', 'new'],
    usage: 'connect [integration]',
    summary: 'Connect an application.',
    role: 'admin',
    loading: () => loadingView(title),
    async run(turn, rest, house, opened) {
      await opened?.update(await formOrChoice(house, turn.who, rest))
    },
  },
  actions: {
    connect: {
      role: 'admin',
      loading: () => loadingView(title),
      inView: 'replace',
      async run(turn, house, opened) {
        await opened?.update(await formOrChoice(house, turn.who, turn.value))
      },
    },
  },
  submissions: { connect: { role: 'admin', run: submit } },
}

async function formOrChoice(house: House, who: Who, wanted: string): Promise<ModalView> {
  const word = wanted.trim().toLowerCase()
  const connector = meantBy(word, house.connectors)
  if (connector) {
    const name = await freeName(house, who, connector)
    return form(connector, { name, settings: {}, at: house.clock.now() })
  }
  return choiceView(title, word, house.connectors)
}

/** A title holds 24 code points: a long name stands alone. */
function titleOf({ name }: Connector): string {
  const whole = `Connect ${name}`
  return codePoints(whole) <= 24 ? whole : name
}

interface Draft {
  /** When the window was made. */
  at: Date
  name: string
  settings: TypedSettings
  problems?: FieldProblems
  /** The first instance of the same tenant: it has to be wanted twice. */
  twin?: string
}

function form(connector: Connector, draft: Draft): ModalView {
  const problems = draft.problems ?? {}
  const blocks: SlackBlock[] = [
    ...(problems[''] ? [problemBlock(problems[''])] : []),
    textInput({
      blockId: 'name',
      label: 'Name',
      hint: 'How your team calls this instance, such as okta-prod.',
      initial: draft.name,
      max: nameMax,
    }),
    ...(problems.name ? [problemBlock(problems.name)] : []),
    ...credentialInputs(connector, draft.settings, problems, false),
    ...(draft.twin ? twinBlocks(connector, draft.twin) : []),
    ...privilegesBlocks(connector),
  ]
  return modal({
    callbackId: 'connect',
    title: titleOf(connector),
    submit: 'Connect',
    blocks,
    metadata: { connector: connector.id, at: draft.at.toISOString() },
  })
}

function twinBlocks(connector: Connector, twin: string): SlackBlock[] {
  return [
    alert(
      `:warning: This is connected already, as *${escapeText(twin)}*. Its people would be counted twice.`,
      'warning',
    ),
    checkInput({
      blockId: 'twice',
      label: 'Two instances of one tenant',
      choices: [{ value: 'twice', label: 'Connect it a second time' }],
      optional: true,
    }),
    context(
      `${connector.local ? 'Choose the file' : 'Type the token'} once more: saasm does not keep what it has not connected.`,
    ),
  ]
}

async function freeName(house: House, who: Who, connector: Connector): Promise<string> {
  const taken = new Set(
    (await matchInstances(house.db.conn, who.teamId, connector.id)).map(instance =>
      instance.name.toLowerCase(),
    ),
  )
  for (let number = 1; number <= 100; number += 1) {
    const name = number === 1 ? connector.id : `${connector.id}-${number}`
    if (!taken.has(name)) return name
  }
  return ''
}

async function submit(turn: SubmissionTurn, house: House): Promise<SubmissionAnswer> {
  const metadata = metadataOf(turn.view)
  const connector = connectorById(metadata.connector ?? '')
  if (!connector)
    return {
      kind: 'update',
      view: noticeView(title, 'saasm does not know this application any more. Open Connect again.'),
    }
  const name = cleanText((turn.view.inputs.text.get('name') ?? '').trim(), nameMax)
  const read = readTyped(connector, turn.view)
  const uploads = uploadsIn(connector, turn.view)
  const errors = read.ok ? {} : problemsBut(uploads, read.problems)
  // Of the window and the name: a second press of Connect finds what the first one has made, and is answered as it was.
  const at = new Date(metadata.at ?? '')
  const id = idAt(at, 'instance', turn.who.teamId, turn.who.userId, turn.view.id, name)
  const takenBy = await instanceCalled(house, turn.who, name)
  if (takenBy?.id === id) return { kind: 'update', view: connected(connector, name, takenBy) }
  if (name === '') errors.name = 'Give it a name.'
  else if (takenBy)
    errors.name = `There is an instance called ${takenBy.name} already. Give this one another name.`
  if (Object.keys(errors).length > 0) return { kind: 'errors', errors }
  const typed = typedIn(connector, turn.view)
  const twice = (turn.view.inputs.many.get('twice') ?? []).includes('twice')
  return {
    kind: 'update',
    view: checkingView(title, connector, 'connects'),
    after: opened => check(house, turn.who, opened, { id, connector, typed, uploads, name, twice }),
  }
}

interface Wanted {
  id: string
  connector: Connector
  typed: Readonly<Record<string, string>>
  uploads: Uploads
  name: string
  twice: boolean
}

/** After the acknowledgement: prove the credentials, then connect, or show the form again with the reason. */
async function check(house: House, who: Who, opened: OpenView, wanted: Wanted): Promise<void> {
  const { connector, typed, name } = wanted
  const again = (more: Partial<Draft>) =>
    opened.update(
      form(connector, { name, settings: settingsOf(connector, typed), at: house.clock.now(), ...more }),
    )
  try {
    const credentials = await withUploads(house.slack, connector, wanted)
    const verified = await house.engine.verify(connector, credentials, { timeoutMs: checkMs })
    const twin = await connect(house, who, { ...wanted, credentials }, verified)
    if (twin && twin.id !== wanted.id) await again({ twin: twin.name })
    else await opened.update(connected(connector, name, verified))
  } catch (error) {
    if (error instanceof ProviderError) await again({ problems: problemOf(connector, error) })
    else if (isUniqueViolation(error)) {
      const mine = await findInstance(house.db.conn, who.teamId, wanted.id)
      const taken = await instanceCalled(house, who, name)
      if (mine) await opened.update(connected(connector, name, mine))
      else await again({ problems: { name: `There is an instance called ${taken?.name ?? name} already.` } })
    } else {
      house.log.error({ err: error }, 'An application could not be connected')
      await again({ problems: { '': 'saasm could not save this. Nothing was connected: please try again.' } })
    }
  }
}

/** Returns the instance of the same tenant that stands in the way, if there is one. */
async function connect(
  house: House,
  who: Who,
  wanted: Wanted & { credentials: Credentials },
  verified: Verified,
): Promise<Instance | undefined> {
  const { id, connector, name } = wanted
  const now = house.clock.now()
  const credentials = verified.rotated ?? wanted.credentials
  const settings = settingsOf(connector, credentials)
  const sealed = sealedSecrets(house.seal, { id, teamId: who.teamId }, connector, credentials)
  return house.db.transaction(async tx => {
    const tenant = { teamId: who.teamId, connector: connector.id, tenantKey: verified.tenantKey }
    // Two admins may connect it at the same moment, under two names.
    await lockTenant(tx, tenant)
    const [twin] = await sameTenant(tx, tenant)
    if (twin && !wanted.twice) return twin
    const fresh = {
      id,
      teamId: who.teamId,
      name,
      connector: connector.id,
      tenantKey: verified.tenantKey,
      tenantName: verified.tenantName,
      settings,
      sealed,
      owner: who.userId,
      createdBy: who.userId,
    }
    const instance = await createInstance(tx, fresh, now)
    await appendAudit(tx, {
      teamId: who.teamId,
      actor: who.userId,
      source: 'modal',
      action: 'instance.created',
      instance,
      after: { name, connector: connector.id, settings },
    })
    await requestRun(tx, { instanceId: id, trigger: 'initial', by: who.userId, now }, house.ring)
    return undefined
  })
}

function connected(
  connector: Connector,
  name: string,
  { tenantName, notice }: Pick<Verified, 'tenantName' | 'notice'>,
): ModalView {
  const tenant = tenantName ? ` to ${escapeText(tenantName)}` : ''
  const text = `:white_check_mark: *${escapeText(name)}* is connected${tenant}. Its initial sync has started; you are told when it has ended.`
  return modal({
    callbackId: 'connected',
    title: titleOf(connector),
    blocks: [section(text), ...noticeBlocks(notice)],
    close: 'Done',
  })
}
