// Who may: asked again on every command, action, submission and option load. Ids in a payload are never an answer.
import { escapeText } from '../slack/blocks.ts'
import { type SlackClient, SlackFailure, type SlackPerson } from '../slack/post.ts'
import type { Who } from '../slack/turn.ts'
import type { Role } from './gesture.ts'

export type Verdict =
  | { ok: true; person: SlackPerson }
  /** For the person: why not, and whom to ask. */
  | { ok: false; reason: string }

/** How many people a refusal names. */
const namedMax = 5

/** `admins`: Slack user ids; empty: the workspace's admins and owners. */
export function createAuthorize(
  slack: SlackClient,
  admins: readonly string[],
): (who: Who, role: Role) => Promise<Verdict> {
  const listed = new Set(admins)

  async function whomToAsk(): Promise<string> {
    const ids = listed.size > 0 ? [...listed] : (await slack.workspaceAdmins()).map(person => person.id)
    const named = ids.slice(0, namedMax).map(id => `<@${id}>`)
    return named.length > 0
      ? `Ask ${new Intl.ListFormat('en', { type: 'disjunction' }).format(named)}.`
      : 'Ask an owner of this workspace.'
  }

  return async (who, role) => {
    try {
      const person = await slack.person(who.userId)
      const ours = person && person.teamId === who.teamId && !person.deleted && !person.bot
      if (!ours) return { ok: false, reason: 'Only members of this workspace can use saasm.' }
      if (person.guest) return { ok: false, reason: `Guests cannot use saasm. ${await whomToAsk()}` }
      const isAdmin = listed.size > 0 ? listed.has(person.id) : person.admin || person.owner
      if (role === 'admin' && !isAdmin) {
        return { ok: false, reason: `${escapeText(person.name)}, this is for admins. ${await whomToAsk()}` }
      }
      return { ok: true, person }
    } catch (error) {
      if (!(error instanceof SlackFailure)) throw error
      return { ok: false, reason: 'Slack could not tell saasm who you are just now. Try again in a minute.' }
    }
  }
}
