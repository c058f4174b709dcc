// What the page knows: the server's state for one person, fetched again whenever something changes, and the person's doings.
import { useSyncExternalStore } from 'preact/compat'
import type { InputValue, PersonState, Place, ShownOption } from '../slack/person.ts'
import type { VendorPerson } from '../vendors/vendor-person.ts'

export interface ShownMail {
  id: string
  from: string
  to: string[]
  subject: string
  text: string | null
  html: boolean
  at: string
}

export interface ShownVendor {
  id: string
  name: string
  fields: Record<string, string>
  tokenLives: boolean
  scopeGiven: boolean
  mood: string
  peopleCount: number
  foundCount: number
  people: VendorPerson[]
}

export interface ServerState {
  slack: PersonState
  mails: ShownMail[]
  vendors: ShownVendor[]
  clock: { now: string; aheadMs: number }
}

interface Known {
  server: ServerState | null
  /** Says why nothing moves, when the server does not answer. */
  offline: boolean
  search: string
}

let known: Known = { server: null, offline: false, search: '' }
let personId = localStorage.getItem('person') ?? ''
const listeners = new Set<() => void>()
let fetching = false
let again = false

function set(change: Partial<Known>): void {
  known = { ...known, ...change }
  for (const listener of listeners) listener()
}

/** Fetch the state; calls while one is under way become one more. */
export async function refresh(): Promise<void> {
  if (fetching) {
    again = true
    return
  }
  fetching = true
  try {
    const query = new URLSearchParams({ as: personId, search: known.search })
    const answer = await fetch(`/page/state?${query}`)
    const server = (await answer.json()) as ServerState
    if (server.slack.user.id === '') {
      const first = server.slack.users.find(user => !user.isBot)
      if (first) {
        personId = first.id
        again = true
      }
    } else {
      forgetClosed(server)
      set({ server, offline: false })
    }
  } catch {
    set({ offline: true })
  } finally {
    fetching = false
  }
  if (again) {
    again = false
    await refresh()
  }
}

/** Listen to changes; the browser connects again by itself. */
export function start(): void {
  const events = new EventSource('/page/events')
  events.onmessage = () => void refresh()
  events.onerror = () => set({ offline: true })
  void refresh()
}

export function useKnown(): Known {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => known,
  )
}

export function become(userId: string): void {
  personId = userId
  localStorage.setItem('person', userId)
  void refresh()
}

export function searchVendors(search: string): void {
  set({ search })
  void refresh()
}

async function post(path: string, body: object): Promise<unknown> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return answer.json()
}

const as = (what: string, body: object) => post(`/page/as/${personId}/${what}`, body)

export const say = (channelId: string, line: string) => as('command', { channelId, line })
export const openHome = () => as('home', {})
export const vendorDoes = (id: string, what: string, body: object = {}) =>
  post(`/page/vendors/${id}/${what}`, body)
export const advance = (ms: number) => post('/page/clock/advance', { ms })

/**
 * What was typed, by view, block and action: shown in place of what the server knows, which may be a moment behind,
 * until the view is closed. What the server does not have yet is sent before anything else is done in the view.
 */
const typed = new Map<string, Typed>()

interface Typed {
  viewId: string
  blockId: string
  value: InputValue
  sent: boolean
}

function forgetClosed(server: ServerState): void {
  const open = new Set(server.slack.views.map(view => view.id))
  // Still unsent: the view is newer than this answer, or another person's, who may come back to it.
  for (const [key, of] of typed) if (of.sent && !open.has(of.viewId)) typed.delete(key)
}

export function keyOf(viewId: string, blockId: string, actionId: string): string {
  return `${viewId}/${blockId}/${actionId}`
}

export function typedValue(key: string): InputValue | undefined {
  return typed.get(key)?.value
}

export function type(viewId: string, blockId: string, actionId: string, value: InputValue): void {
  typed.set(keyOf(viewId, blockId, actionId), { viewId, blockId, value, sent: false })
  set({})
}

/** Bring what was typed in a view to the server. */
async function flush(viewId: string): Promise<void> {
  for (const of of [...typed.values()]) {
    if (of.viewId !== viewId || of.sent) continue
    of.sent = true
    await as('type', { viewId, blockId: of.blockId, value: of.value })
  }
}

export async function act(
  place: Place,
  blockId: string,
  actionId: string,
  value?: InputValue,
): Promise<void> {
  if ('viewId' in place) {
    const { viewId } = place
    const key = keyOf(viewId, blockId, actionId)
    // The action itself brings the value.
    if (value && typed.has(key)) typed.set(key, { viewId, blockId, value, sent: true })
    await flush(viewId)
  }
  await as('act', { place, blockId, actionId, ...(value ? { value } : {}) })
}

export async function submit(viewId: string): Promise<void> {
  await flush(viewId)
  await as('submit', { viewId })
}

export async function close(viewId: string, all: boolean): Promise<void> {
  for (const [key, of] of [...typed]) if (all || of.viewId === viewId) typed.delete(key)
  await as('close', { viewId, all })
}

export async function options(
  place: Place,
  blockId: string,
  actionId: string,
  query: string,
): Promise<ShownOption[]> {
  const answer = (await as('options', { place, blockId, actionId, query })) as { options?: ShownOption[] }
  return answer.options ?? []
}

/** Bring a file to the workspace; its id goes into the input. Blank: the workspace did not take it. At most 20 MB. */
export async function upload(file: File): Promise<string> {
  try {
    const answer = (await as('upload', {
      name: file.name,
      mimetype: file.type || 'application/octet-stream',
      base64: await base64Of(file),
    })) as { id?: string }
    return answer.id ?? ''
  } catch {
    // The workspace hangs up on a body that is too long.
    return ''
  }
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
}
