// Who may: asked again on every command, action, window and option load. Ids in a payload are never an answer.
import type { Instance } from '../instances/instance.ts'
import { escapeText } from '../slack/blocks.ts'
import { type SlackClient, SlackFailure, type SlackPerson } from '../slack/post.ts'
import type { Who } from '../slack/turn.ts'
import type { Role } from './gesture.ts'

/** Who holds which role: Slack user ids, or ids of Slack user groups (`S…`). */
export interface Access {
  /** Empty: the workspace's admins and owners. */
  admins: readonly string[]
  operators: readonly string[]
  viewers: readonly string[]
  /** The owner of an instance may do with it what an admin may. */
  ownersManage: boolean
}

export type Verdict =
  | { ok: true; person: SlackPerson }
  /** For the person: why not, and whom to ask. */
  | { ok: false; reason: string }

export type Authorize = (who: Who, role: Role, about?: Promise<Instance | undefined>) => Promise<Verdict>

/** How many people a refusal names. */
const namedMax = 5
/** The most that a person may: each role holds what those after it hold. */
const ranks = ['admin', 'operator', 'viewer'] as const

/** `about`: the instance it is done to, read by team and id; its owner may, too. */
export function createAuthorize(slack: SlackClient, access: Access): Authorize {
  const listed = { admin: access.admins, operator: access.operators, viewer: access.viewers }

  async function whomToAsk(): Promise<string> {
    const ids = access.admins.length > 0 ? access.admins : (await slack.workspaceAdmins()).map(({ id }) => id)
    const named = ids.slice(0, namedMax).map(id => (isGroup(id) ? `<!subteam^${id}>` : `<@${id}>`))
    return named.length > 0
      ? `Ask ${new Intl.ListFormat('en', { type: 'disjunction' }).format(named)}.`
      : 'Ask an owner of this workspace.'
  }

  async function among(ids: readonly string[], userId: string): Promise<boolean> {
    if (ids.includes(userId)) return true
    for (const id of ids.filter(isGroup)) if ((await slack.groupMembers(id)).has(userId)) return true
    return false
  }

  async function holds(person: SlackPerson, role: Role): Promise<boolean> {
    if (role === 'anyone') return true
    if (access.admins.length === 0 && (person.admin || person.owner)) return true
    for (const rank of ranks.slice(0, ranks.indexOf(role) + 1))
      if (await among(listed[rank], person.id)) return true
    return false
  }

  return async (who, role, about) => {
    try {
      const [person, teamId] = await Promise.all([slack.person(who.userId), slack.teamId()])
      // The team is the token's own: a payload's word for it, and a stranger's in a shared channel, are not.
      const ours = person && person.teamId === teamId && who.teamId === teamId
      if (!ours || person.deleted || person.bot || person.stranger)
        return { ok: false, reason: 'Only members of this workspace can use saasm.' }
      if (person.guest) return { ok: false, reason: `Guests cannot use saasm. ${await whomToAsk()}` }
      if (await holds(person, role)) return { ok: true, person }
      if (access.ownersManage && (await about)?.owner === person.id) return { ok: true, person }
      return { ok: false, reason: `${escapeText(person.name)}, this is for ${role}s. ${await whomToAsk()}` }
    } catch (error) {
      if (!(error instanceof SlackFailure)) throw error
      return { ok: false, reason: 'Slack could not tell saasm who you are just now. Try again in a minute.' }
    }
  }
}

function isGroup(id: string): boolean {
  return id.startsWith('S')
}
