// Inputs that a person types or uploads into, as Slack takes them.
import { z } from 'zod'
import { limits } from './limits.ts'
import { id, plain, words } from './words.ts'

const dispatch = {
  dispatch_action_config: z
    .strictObject({
      trigger_actions_on: z
        .array(z.enum(['on_enter_pressed', 'on_character_entered']))
        .min(1)
        .max(2),
    })
    .optional(),
}
const typed = {
  action_id: id.optional(),
  focus_on_load: z.boolean().optional(),
  placeholder: plain(limits.placeholderMax).optional(),
  ...dispatch,
}
export const plainTextInput = z.strictObject({
  type: z.literal('plain_text_input'),
  ...typed,
  initial_value: words(limits.inputLengthMax, 0).optional(),
  multiline: z.boolean().optional(),
  min_length: z.int().min(0).max(limits.inputLengthMax).optional(),
  max_length: z.int().min(1).max(limits.inputLengthMax).optional(),
})
export const emailInput = z.strictObject({
  type: z.literal('email_text_input'),
  ...typed,
  initial_value: words(limits.inputLengthMax, 0).optional(),
})
export const urlInput = z.strictObject({
  type: z.literal('url_text_input'),
  ...typed,
  initial_value: words(limits.inputLengthMax, 0).optional(),
})
export const numberInput = z.strictObject({
  type: z.literal('number_input'),
  ...typed,
  is_decimal_allowed: z.boolean(),
  initial_value: z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'must be a number')
    .optional(),
  min_value: z.string().optional(),
  max_value: z.string().optional(),
})
export const fileInput = z.strictObject({
  type: z.literal('file_input'),
  action_id: id.optional(),
  filetypes: z.array(z.string()).min(1).optional(),
  max_files: z.int().min(1).max(10).optional(),
})
