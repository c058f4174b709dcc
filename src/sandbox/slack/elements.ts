// Block elements as Slack takes them: every field known, every length checked, anything else refused.
import { z } from 'zod'
import { limits } from './limits.ts'
import { emailInput, fileInput, numberInput, plainTextInput, urlInput } from './typed-inputs.ts'
import { anyText, id, plain, words } from './words.ts'

const confirm = z.strictObject({
  title: plain(limits.confirmTitleMax),
  text: anyText(limits.confirmTextMax),
  confirm: plain(limits.confirmButtonMax),
  deny: plain(limits.confirmButtonMax),
  style: z.enum(['primary', 'danger']).optional(),
})

const plainOption = z.strictObject({
  text: plain(limits.optionTextMax),
  value: words(limits.optionValueMax),
  description: plain(limits.optionTextMax).optional(),
})
const markedOption = z.strictObject({
  text: anyText(limits.optionTextMax),
  value: words(limits.optionValueMax),
  description: anyText(limits.optionTextMax).optional(),
})
const linkOption = plainOption.extend({ url: words(limits.urlMax).optional() })

type Option = { value: string }

function uniqueValues(options: readonly Option[]): boolean {
  return new Set(options.map(option => option.value)).size === options.length
}

function list<T extends z.ZodType<Option>>(option: T, max: number, min = 1) {
  return z
    .array(option)
    .min(min, `must have at least ${min} items`)
    .max(max, `no more than ${max} items allowed`)
    .refine(uniqueValues, { message: 'option values must be unique' })
}

export const optionList = list(plainOption, limits.optionsMax, 0)
const optionGroup = z.strictObject({
  label: plain(limits.optionTextMax),
  options: list(plainOption, limits.optionsMax),
})
export const optionGroups = z.array(optionGroup).min(1).max(limits.optionGroupsMax)

/** Fields that every interactive element may have. */
const acts = { action_id: id.optional(), confirm: confirm.optional(), focus_on_load: z.boolean().optional() }
const hints = { ...acts, placeholder: plain(limits.placeholderMax).optional() }
const many = { max_selected_items: z.int().min(1).optional() }

function hasInitial(element: {
  options?: readonly Option[] | undefined
  option_groups?: readonly { options: readonly Option[] }[] | undefined
  initial_option?: Option | undefined
  initial_options?: readonly Option[] | undefined
}): boolean {
  const offered = [
    ...(element.options ?? []),
    ...(element.option_groups ?? []).flatMap(group => group.options),
  ]
  const known = new Set(offered.map(option => JSON.stringify(option)))
  const wanted = [
    ...(element.initial_options ?? []),
    ...(element.initial_option ? [element.initial_option] : []),
  ]
  return wanted.every(option => known.has(JSON.stringify(option)))
}

const initialKnown = { message: 'initial option must exactly match one of the options provided' }
const oneSource = { message: 'either options or option_groups is required, not both' }

const button = z.strictObject({
  type: z.literal('button'),
  ...acts,
  text: plain(limits.buttonTextMax),
  value: words(limits.buttonValueMax, 0).optional(),
  url: words(limits.urlMax).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  accessibility_label: words(limits.accessibilityLabelMax).optional(),
})

const choice = { ...acts, options: list(markedOption, limits.choicesMax) }
const checkboxes = z
  .strictObject({
    type: z.literal('checkboxes'),
    ...choice,
    initial_options: z.array(markedOption).min(1).max(limits.choicesMax).optional(),
  })
  .refine(hasInitial, initialKnown)
const radioButtons = z
  .strictObject({ type: z.literal('radio_buttons'), ...choice, initial_option: markedOption.optional() })
  .refine(hasInitial, initialKnown)
const overflow = z.strictObject({
  type: z.literal('overflow'),
  action_id: id.optional(),
  confirm: confirm.optional(),
  options: list(linkOption, limits.overflowOptionsMax),
})

const source = {
  options: list(plainOption, limits.optionsMax).optional(),
  option_groups: optionGroups.optional(),
}
const onlyOneSource = (element: { options?: unknown; option_groups?: unknown }) =>
  (element.options === undefined) !== (element.option_groups === undefined)
const staticSelect = z
  .strictObject({
    type: z.literal('static_select'),
    ...hints,
    ...source,
    initial_option: plainOption.optional(),
  })
  .refine(onlyOneSource, oneSource)
  .refine(hasInitial, initialKnown)
const multiStaticSelect = z
  .strictObject({
    type: z.literal('multi_static_select'),
    ...hints,
    ...many,
    ...source,
    initial_options: z.array(plainOption).min(1).max(limits.optionsMax).optional(),
  })
  .refine(onlyOneSource, oneSource)
  .refine(hasInitial, initialKnown)
const query = { min_query_length: z.int().min(0).optional() }
const externalSelect = z.strictObject({
  type: z.literal('external_select'),
  ...hints,
  ...query,
  initial_option: plainOption.optional(),
})
const multiExternalSelect = z.strictObject({
  type: z.literal('multi_external_select'),
  ...hints,
  ...query,
  ...many,
  initial_options: z.array(plainOption).min(1).max(limits.optionsMax).optional(),
})
const slackId = z.string().regex(/^[A-Z][A-Z0-9]{2,}$/, 'must be a Slack id')
const usersSelect = z.strictObject({
  type: z.literal('users_select'),
  ...hints,
  initial_user: slackId.optional(),
})
const multiUsersSelect = z.strictObject({
  type: z.literal('multi_users_select'),
  ...hints,
  ...many,
  initial_users: z.array(slackId).min(1).optional(),
})
const channelsSelect = z.strictObject({
  type: z.literal('channels_select'),
  ...hints,
  initial_channel: slackId.optional(),
  response_url_enabled: z.boolean().optional(),
})
const conversationsSelect = z.strictObject({
  type: z.literal('conversations_select'),
  ...hints,
  initial_conversation: slackId.optional(),
  default_to_current_conversation: z.boolean().optional(),
  response_url_enabled: z.boolean().optional(),
  filter: z
    .strictObject({
      include: z
        .array(z.enum(['im', 'mpim', 'private', 'public']))
        .min(1)
        .optional(),
      exclude_external_shared_channels: z.boolean().optional(),
      exclude_bot_users: z.boolean().optional(),
    })
    .optional(),
})
const datepicker = z.strictObject({
  type: z.literal('datepicker'),
  ...hints,
  initial_date: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, 'must be a date')
    .optional(),
})
const timepicker = z.strictObject({
  type: z.literal('timepicker'),
  ...hints,
  initial_time: z
    .string()
    .regex(/^\d\d:\d\d$/, 'must be a time')
    .optional(),
  timezone: z.string().optional(),
})

export const imageElement = z
  .strictObject({
    type: z.literal('image'),
    alt_text: words(limits.altTextMax),
    image_url: words(limits.urlMax).optional(),
    slack_file: z.strictObject({ id: z.string().optional(), url: z.string().optional() }).optional(),
  })
  .refine(image => (image.image_url === undefined) !== (image.slack_file === undefined), {
    message: 'either image_url or slack_file is required',
  })

const selects = [staticSelect, externalSelect, usersSelect, channelsSelect, conversationsSelect] as const
const multiSelects = [multiStaticSelect, multiExternalSelect, multiUsersSelect] as const
const pickers = [datepicker, timepicker] as const

/** What an actions block holds. */
export const actionElement = z.discriminatedUnion('type', [
  button,
  checkboxes,
  radioButtons,
  overflow,
  ...selects,
  ...multiSelects,
  ...pickers,
])
/** What stands beside a section's text. */
export const accessory = z.discriminatedUnion('type', [actionElement, imageElement])
/** What an input block holds. */
export const inputElement = z.discriminatedUnion('type', [
  plainTextInput,
  emailInput,
  urlInput,
  numberInput,
  fileInput,
  checkboxes,
  radioButtons,
  ...selects,
  ...multiSelects,
  ...pickers,
])
/** Inputs that only a modal takes. */
export const modalOnlyInputs: ReadonlySet<string> = new Set([
  'email_text_input',
  'url_text_input',
  'number_input',
  'file_input',
])
