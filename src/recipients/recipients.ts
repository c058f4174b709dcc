// Recipients: the addresses told by e-mail; of every instance, or of one. What an address may look like is decided here.
import { and, asc, eq, inArray, isNull, or } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { newId } from '../lib/ids.ts'
import { recipientTable } from './table.ts'

/** The most addresses one list may hold. */
export const recipientsMax = 2_000

/** `all`: every instance of every integration. */
export type RecipientList = { teamId: string; instanceId: string | null }

/** An address that is ready to be stored, or the reason why not, for the person who typed it. */
export type ReadAddress = { ok: true; address: string } | { ok: false; reason: string }

/** Read one typed address: trimmed, checked strictly (one address, no display name, no control characters). */
export function readAddress(typed: string): ReadAddress {
  const address = typed.trim().replace(/^<(.*)>$/, '$1')
  const refuse = (reason: string): ReadAddress => ({ ok: false, reason })
  if (address === '') return refuse('Type an e-mail address, for example ada@example.com.')
  const at = address.lastIndexOf('@')
  if (at < 1 || at === address.length - 1)
    return refuse(`“${address.slice(0, 100)}” needs a name, an @ and a domain.`)
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)]
  // RFC 5321 4.5.3.1: a local part of at most 64 octets, a path of at most 256.
  if (local.length > 64 || address.length > 254)
    return refuse('This address is longer than mail allows (254 characters).')
  if (!/^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u.test(local)) {
    return refuse(`“${address.slice(0, 100)}” has a character before the @ that an address cannot have.`)
  }
  if (
    !/^([\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])$/u.test(
      domain,
    )
  ) {
    return refuse(`“${domain.slice(0, 100)}” is not a mail domain. It looks like example.com.`)
  }
  return { ok: true, address: `${local}@${domain.toLowerCase()}` }
}

/** What makes two addresses the same one. */
export function addressKey(address: string): string {
  return address.trim().toLowerCase()
}

/** The addresses of one list, in the order they were added. */
export async function listRecipients(conn: Conn, list: RecipientList): Promise<string[]> {
  const rows = await conn
    .select({ email: recipientTable.email })
    .from(recipientTable)
    .where(and(eq(recipientTable.teamId, list.teamId), ofList(list)))
    .orderBy(asc(recipientTable.addedAt), asc(recipientTable.email))
    .limit(recipientsMax)
  return rows.map(row => row.email)
}

/** Who hears of this instance: the common list and its own, each address once. */
export async function recipientsOf(conn: Conn, instance: { teamId: string; id: string }): Promise<string[]> {
  const rows = await conn
    .select({ email: recipientTable.email })
    .from(recipientTable)
    .where(
      and(
        eq(recipientTable.teamId, instance.teamId),
        or(isNull(recipientTable.instanceId), eq(recipientTable.instanceId, instance.id)),
      ),
    )
    .limit(2 * recipientsMax)
  return [...new Map(rows.map(row => [addressKey(row.email), row.email])).values()]
}

/** Make the list be exactly `addresses` (already read); says who was added and who was removed. */
export async function saveRecipients(
  tx: Tx,
  list: RecipientList,
  wanted: { addresses: readonly string[]; by: string; now: Date },
): Promise<{ added: string[]; removed: string[] }> {
  const before = await listRecipients(tx, list)
  const wantedByKey = new Map<string, string>()
  for (const address of wanted.addresses.slice(0, recipientsMax)) {
    // The first spelling of an address stays.
    if (!wantedByKey.has(addressKey(address))) wantedByKey.set(addressKey(address), address)
  }
  const beforeKeys = new Set(before.map(addressKey))
  const removed = before.filter(address => !wantedByKey.has(addressKey(address)))
  const added = [...wantedByKey.values()].filter(address => !beforeKeys.has(addressKey(address)))
  const gone: string[] = []
  if (removed.length > 0) {
    const rows = await tx
      .delete(recipientTable)
      .where(
        and(eq(recipientTable.teamId, list.teamId), ofList(list), inArray(recipientTable.email, removed)),
      )
      .returning({ email: recipientTable.email })
    gone.push(...rows.map(row => row.email))
  }
  const come: string[] = []
  if (added.length > 0) {
    const rows = added.map((email, position) => ({
      id: newId(),
      teamId: list.teamId,
      instanceId: list.instanceId,
      email,
      addedBy: wanted.by,
      addedAt: new Date(wanted.now.getTime() + position),
    }))
    const inserted = await tx
      .insert(recipientTable)
      .values(rows)
      .onConflictDoNothing()
      .returning({ email: recipientTable.email })
    come.push(...inserted.map(row => row.email))
  }
  // What this transaction changed itself: somebody else may have added or removed the same one at the same moment.
  return { added: come, removed: gone }
}

function ofList(list: RecipientList) {
  return list.instanceId === null
    ? isNull(recipientTable.instanceId)
    : eq(recipientTable.instanceId, list.instanceId)
}
