// What a person does on the page, read from the page's requests: each field checked, then handed to the workspace.

import { lettersOf, uploadMaxBytes } from './http.ts'
import { PageMistake } from './page-mistake.ts'
import type { InputValue, Person, Place } from './slack/person.ts'

type Body = Record<string, unknown>

/** Do `what` as this person; resolves with what the page needs to know of it. */
export async function personAction(person: Person, what: string, body: Body): Promise<unknown> {
  switch (what) {
    case 'command':
      return person.command(text(body, 'channelId'), text(body, 'line', 4_000))
    case 'act':
      return person.act(placeOf(body), { ...elementOf(body), ...inputOf(body) })
    case 'type':
      return person.type(text(body, 'viewId'), text(body, 'blockId'), inputOf(body).value ?? {})
    case 'submit':
      return person.submit(text(body, 'viewId'))
    case 'close':
      return person.close(text(body, 'viewId'), body.all === true)
    case 'options':
      return { options: await person.options(placeOf(body), elementOf(body), text(body, 'query', 300, true)) }
    case 'upload':
      return person.upload({
        name: text(body, 'name'),
        mimetype: text(body, 'mimetype'),
        bytes: Buffer.from(text(body, 'base64', lettersOf(uploadMaxBytes), true), 'base64'),
      })
    case 'home':
      return person.openHome()
    default:
      throw new PageMistake(`Nobody can ${what}`)
  }
}

function text(body: Body, key: string, max = 300, blank = false): string {
  const value = body[key]
  if (typeof value !== 'string' || value.length > max || (value === '' && !blank))
    throw new PageMistake(`${key} is not text`)
  return value
}

function placeOf(body: Body): Place {
  const place = (body.place ?? {}) as Body
  if (place.home === true) return { home: true }
  if (typeof place.viewId === 'string') return { viewId: place.viewId }
  return { channelId: text(place, 'channelId'), ts: text(place, 'ts') }
}

function elementOf(body: Body): { blockId: string; actionId: string } {
  return { blockId: text(body, 'blockId'), actionId: text(body, 'actionId') }
}

/** Only the fields of an InputValue, each of its type. */
function inputOf(body: Body): { value?: InputValue } {
  const given = (body.value ?? null) as Body | null
  if (given === null) return {}
  const value: InputValue = {
    ...one(given, 'value'),
    ...one(given, 'selectedOption'),
    ...one(given, 'selectedUser'),
    ...one(given, 'selectedChannel'),
    ...one(given, 'selectedConversation'),
    ...some(given, 'selectedOptions'),
    ...some(given, 'selectedUsers'),
    ...some(given, 'files'),
  }
  return { value }
}

function one<K extends string>(body: Body, key: K): Partial<Record<K, string>> {
  const value = body[key]
  return typeof value === 'string' && value.length <= 10_000 ? ({ [key]: value } as Record<K, string>) : {}
}

function some<K extends string>(body: Body, key: K): Partial<Record<K, string[]>> {
  const value = body[key]
  const good = Array.isArray(value) && value.length <= 200 && value.every(item => typeof item === 'string')
  return good ? ({ [key]: value } as Record<K, string[]>) : {}
}
