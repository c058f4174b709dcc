// A list as a file, by direct message to the one person who asked for it; what keeps it from them is said to them.
import { newId } from '../lib/ids.ts'
import { section } from '../slack/blocks.ts'
import { SlackFailure } from '../slack/post.ts'
import type { Message, Who } from '../slack/turn.ts'
import type { House } from './gesture.ts'

export interface ListFile {
  /** Of the message that the file hangs on: mrkdwn. */
  text: string
  /** Before the day and `.csv`: letters, digits and hyphens. */
  filename: string
  title: string
  bytes: Uint8Array
}

/** Send it; a refusal is answered through `turn`. What was sent must be written down before: it may be personal data. */
export async function sendFile(
  turn: { who: Who; reply(message: Message): Promise<void> },
  house: House,
  { text, filename, title, bytes }: ListFile,
): Promise<void> {
  const day = house.clock.now().toISOString().slice(0, 10)
  try {
    const { channel, ts } = await house.slack.post({
      to: turn.who.userId,
      text,
      blocks: [section(text)],
      key: newId(),
    })
    await house.slack.upload({
      channel,
      threadTs: ts,
      filename: `${filename}-${day}.csv`,
      title: `${title}, ${day}`,
      bytes,
    })
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error
    house.log.warn({ code: error.code, filename }, 'Slack did not take a list')
    await turn.reply({ text: whyNot(error) })
  }
}

function whyNot(error: SlackFailure): string {
  if (error.code === 'missing_scope')
    return 'saasm may not send files here yet: install the app again with the scopes of its manifest (files:write).'
  return 'Slack did not take the file just now. Please try again in a minute.'
}

/** A file name of letters, digits and hyphens. */
export function slug(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[^A-Za-z0-9]+/g, '-')
  return (
    plain
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40)
      .toLowerCase() || 'instance'
  )
}
