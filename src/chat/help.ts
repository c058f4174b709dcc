// /saasm help: what saasm can do, made from the commands themselves; and what is said to a word it does not know.
import { context, header, section } from '../slack/blocks.ts'
import type { Message } from '../slack/turn.ts'
import type { CommandRule, Gesture } from './gesture.ts'
import { nearest } from './parse.ts'

/** The help gesture of an app with these gestures. */
export function createHelpGesture(gestures: readonly Gesture[]): Gesture {
  return {
    command: {
      word: 'help',
      usage: 'help',
      summary: 'This list.',
      role: 'anyone',
      run: turn => turn.reply(helpMessage(rulesOf(gestures))),
    },
  }
}

export function rulesOf(gestures: readonly Gesture[]): CommandRule[] {
  return gestures.flatMap(gesture => (gesture.command ? [gesture.command] : []))
}

function helpMessage(rules: readonly CommandRule[]): Message {
  return {
    text: 'What saasm can do: /saasm integrations, connect, manage, sync, history, recipients.',
    blocks: [
      header('What saasm can do'),
      section(rules.map(lineOf).join('\n')),
      context('A part of a NAME is enough. The Home tab shows every integration, too.'),
    ],
  }
}

/** The answer to a word that is no command: the nearest ones, never silence. */
export function unknownWord(word: string, rules: readonly CommandRule[]): Message {
  const near = nearest(
    word,
    rules.flatMap(rule => [rule.word, ...(rule.also ?? [])]),
  )
  const meant = rules.filter(rule => [rule.word, ...(rule.also ?? [])].some(one => near.includes(one)))
  const shown = meant.length > 0 ? meant : rules
  const said = `saasm does not know “${Array.from(word.replaceAll(/[<>&`]/g, ''))
    .slice(0, 40)
    .join('')}”.`
  const lead =
    meant.length > 0
      ? `${said} Did you mean ${meant.length === 1 ? 'this one' : 'one of these'}?`
      : `${said} It knows these:`
  return { text: lead, blocks: [section(lead), section(shown.map(lineOf).join('\n'))] }
}

function lineOf(rule: CommandRule): string {
  return `\`/saasm ${rule.usage}\`  ${rule.summary}`
}
