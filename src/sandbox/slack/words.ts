// Text objects and ids as Slack takes them, counted in code points.
import { z } from 'zod'
import { codePoints } from '../../lib/text.ts'
import { limits } from './limits.ts'

/** Text of 1 to `max` code points. */
export function words(max: number, min = 1) {
  return z
    .string()
    .refine(text => codePoints(text) >= min, { message: `must be more than ${min - 1} characters` })
    .refine(text => codePoints(text) <= max, { message: `must be less than ${max + 1} characters` })
}

export function plain(max: number) {
  return z.strictObject({ type: z.literal('plain_text'), text: words(max), emoji: z.boolean().optional() })
}

export function mrkdwn(max: number) {
  return z.strictObject({ type: z.literal('mrkdwn'), text: words(max), verbatim: z.boolean().optional() })
}

export function anyText(max: number) {
  return z.discriminatedUnion('type', [plain(max), mrkdwn(max)])
}

export const id = words(limits.idMax)
