// What was typed in Edit Instance, read strictly: one sentence at each field that cannot be taken as it is.
import { type Connector, type Credentials, fieldsOf, readCredentials } from '../connectors/connector.ts'
import type { Verified } from '../connectors/engine.ts'
import { inSentence } from '../connectors/fields.ts'
import { credentialsOf } from '../instances/credentials.ts'
import {
  type Instance,
  removalPeopleLimit,
  removalPercentLimit,
  scheduleHoursChoices,
} from '../instances/instance.ts'
import { KeyMissing, SealBroken } from '../instances/seal.ts'
import { cleanText } from '../lib/text.ts'
import { addressKey, readAddress } from '../recipients/recipients.ts'
import type { ShownView } from '../slack/turn.ts'
import { nameMax } from './connect.ts'
import { typedIn } from './credentials.ts'
import type { House } from './gesture.ts'
import { problemsBut, type Uploads, uploadsIn } from './uploads.ts'

export interface WantedEdit {
  name: string
  status: 'live' | 'inactive'
  scheduleHours: number
  owner: string
  channel: string | null
  recipients: string[]
  removalPeopleMax: number
  removalPercentMax: number
  /** The settings as typed, to draw the form again. */
  settings: Readonly<Record<string, string>>
  /** Set when a credential or setting is another one: proven before it is saved. What was uploaded is not in it yet. */
  credentials: Credentials | null
  uploads: Uploads
  /** Set when the stored credentials go Live again after saasm had made them Inactive: proven before it is saved, too. */
  stored: Credentials | null
  /** The version that was opened. */
  version: number
  verified?: Verified
}

export type ReadEdit =
  | { ok: true; wanted: Omit<WantedEdit, 'version'> }
  | { ok: false; errors: Record<string, string> }

export function readEdit(house: House, instance: Instance, connector: Connector, view: ShownView): ReadEdit {
  const { text } = view.inputs
  const errors: Record<string, string> = {}
  const name = cleanText((text.get('name') ?? '').trim(), nameMax)
  if (name === '') errors.name = 'Give it a name.'
  const hours = Number(text.get('schedule'))
  const scheduleHours = scheduleHoursChoices.find(choice => choice === hours) ?? instance.scheduleHours
  const recipients = readRecipients(text.get('recipients') ?? '', errors)
  const whole = (key: keyof typeof thresholdFields, before: number) => {
    const typed = text.get(key)
    const { max, problem } = thresholdFields[key]
    const read = typed === undefined ? before : /^\d{1,9}$/.test(typed.trim()) ? Number(typed) : -1
    if (read < 0 || read > max) errors[key] = problem
    return read
  }
  const removalPeopleMax = whole('removal-people', instance.removalPeopleMax)
  const removalPercentMax = whole('removal-percent', instance.removalPercentMax)
  const uploads = uploadsIn(connector, view)
  const given = { typed: typedIn(connector, view), uploads }
  const credentials = readChanged(house, instance, connector, given, errors)
  const status = text.get('status') === 'inactive' ? 'inactive' : 'live'
  const stored =
    status === 'live' && !credentials && isRefused(instance) && !connector.local
      ? readStored(house, instance, connector, errors)
      : null
  if (Object.keys(errors).length > 0) return { ok: false, errors }
  const typed = typedIn(connector, view)
  return {
    ok: true,
    wanted: {
      name,
      status,
      scheduleHours,
      owner: text.get('owner') ?? instance.owner,
      channel: text.get('channel') ?? null,
      recipients,
      removalPeopleMax,
      removalPercentMax,
      settings: Object.fromEntries(
        fieldsOf(connector)
          .filter(field => !field.secret)
          .map(({ key }) => [key, typed[key] ?? '']),
      ),
      credentials,
      uploads,
      stored,
    },
  }
}

const thresholdFields = {
  'removal-people': {
    max: removalPeopleLimit,
    problem: `Give a whole number from 0 to ${removalPeopleLimit.toLocaleString('en-US')}.`,
  },
  'removal-percent': {
    max: removalPercentLimit,
    problem: `Give a whole number from 0 to ${removalPercentLimit}.`,
  },
}

function readRecipients(typed: string, errors: Record<string, string>): string[] {
  const read = new Map<string, string>()
  for (const line of typed.split(/[\s,;]+/).filter(Boolean)) {
    const address = readAddress(line)
    if (address.ok)
      read.set(addressKey(address.address), read.get(addressKey(address.address)) ?? address.address)
    else errors.recipients ??= address.reason
  }
  return [...read.values()]
}

/** The credentials if they are to change; a changed setting (where the secret would be sent) asks for the secret anew. */
function readChanged(
  house: House,
  instance: Instance,
  connector: Connector,
  { typed, uploads }: { typed: Record<string, string>; uploads: Uploads },
  errors: Record<string, string>,
): Credentials | null {
  const fields = fieldsOf(connector)
  const changed = fields.some(
    field => !field.secret && (typed[field.key] ?? '').trim() !== (instance.settings[field.key] ?? ''),
  )
  const isGiven = (key: string) => uploads.has(key) || (typed[key] ?? '').trim() !== ''
  const secretGiven = fields.some(field => field.secret && isGiven(field.key))
  if (!changed && !secretGiven) return null
  // Where nothing is sent anywhere, what is kept may be read by other settings.
  const anew = changed && !connector.local
  const before = anew ? {} : opened(house, instance)
  for (const { key, secret, optional, label } of fields) {
    if (!secret) continue
    const blank = !isGiven(key)
    if (blank && !before && !optional) errors[key] = unopened(label)
    if (blank && anew && !optional)
      errors[key] = `Something above has changed: give the ${inSentence(label)} anew.`
    if (blank && !anew) typed[key] = before?.[key] ?? ''
  }
  if (Object.keys(errors).length > 0) return null
  const read = readCredentials(connector, typed)
  if (read.ok) return read.credentials
  const problems = problemsBut(uploads, read.problems)
  if (Object.keys(problems).length === 0) return typed
  Object.assign(errors, problems)
  return null
}

/** Did saasm make it Inactive, for what is stored? */
function isRefused({ status, inactiveReason }: Instance): boolean {
  return status === 'inactive' && inactiveReason !== null && inactiveReason !== 'user'
}

/** What a run would ask with; null where it cannot be opened, or something else is amiss. */
function readStored(
  house: House,
  instance: Instance,
  connector: Connector,
  errors: Record<string, string>,
): Credentials | null {
  if (Object.keys(errors).length > 0) return null
  const stored = opened(house, instance)
  if (stored) return stored
  for (const { key, secret, optional, label } of fieldsOf(connector))
    if (secret && !optional) errors[key] = unopened(label)
  return null
}

function unopened(label: string): string {
  return `saasm cannot open the present one: give the ${inSentence(label)} anew.`
}

/** What is stored; undefined when its key is missing or it was altered. */
function opened(house: House, instance: Instance): Credentials | undefined {
  try {
    return credentialsOf(house.seal, instance)
  } catch (error) {
    if (error instanceof KeyMissing || error instanceof SealBroken) return undefined
    throw error
  }
}
