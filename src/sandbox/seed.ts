// The sandbox's people and channels: an owner, an admin, a plain member and a guest, so that each can be tried.
import type { ShownUser } from './slack/person.ts'

export const team = { id: 'T0SANDBOX', name: 'Acme Sandbox', domain: 'acme-sandbox' }
export const botUserId = 'U0SAASM'
export const syncChannel = { id: 'C0SYNC', name: 'saas-sync' }

function person(id: string, realName: string, role: Partial<ShownUser>): ShownUser {
  const name = (realName.split(' ')[0] ?? realName).toLowerCase()
  return {
    id,
    name,
    realName,
    email: `${name}@acme.example`,
    timeZone: 'Europe/Amsterdam',
    isAdmin: false,
    isOwner: false,
    isPrimaryOwner: false,
    isRestricted: false,
    isUltraRestricted: false,
    isBot: false,
    deleted: false,
    ...role,
  }
}

export const people: readonly ShownUser[] = [
  person('U0ADA', 'Ada Admin', { isAdmin: true }),
  person('U0OLIVIA', 'Olivia Owner', { isAdmin: true, isOwner: true, isPrimaryOwner: true }),
  person('U0MAX', 'Max Member', {}),
  person('U0GINA', 'Gina Guest', { isRestricted: true }),
  person(botUserId, 'saasm', { isBot: true }),
]

const everyone = people.map(user => user.id)

export const channels = [
  { id: 'C0GENERAL', name: 'general', members: everyone },
  { ...syncChannel, members: everyone },
]
