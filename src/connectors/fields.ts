// The kinds of credential fields that most connectors ask for, each with its limits and a sentence for what is wrong.
import { z } from 'zod'
import { isBaseAddress } from './address.ts'
import type { CredentialMeta } from './connector.ts'

type Asked = Omit<CredentialMeta, 'secret' | 'choices' | 'multiline'>

/** `named`: the label begins with a name, whose capital stays in a sentence. */
type MaybeNamed<A> = A & { named?: true }

/** A field that may be left blank; a blank one is ''. */
type MaybeAsked = Asked & { optional?: true }

/** A token, key or password of visible letters: sealed, never shown again. */
export function secretField(asked: Asked) {
  return z
    .string()
    .min(1, `Give the ${inSentence(asked.label)}.`)
    .max(4_000, 'This is too long.')
    .regex(/^[\x21-\x7e]*$/, 'There is a space or a special letter in it. Copy it anew.')
    .meta({ ...asked, secret: true } satisfies CredentialMeta)
}

/** A key of several lines, such as a PEM or a key file. */
export function keyField(asked: Asked) {
  return z
    .string()
    .min(1, `Give the ${inSentence(asked.label)}.`)
    .max(3_000, 'This is too long.')
    .meta({ ...asked, secret: true, multiline: true } satisfies CredentialMeta)
}

/** An identifier that goes into a path or a query: letters, digits and `. _ @ + -`. */
export function wordField({ optional, ...asked }: MaybeAsked) {
  return z
    .string()
    .min(optional ? 0 : 1, `Give the ${inSentence(asked.label)}.`)
    .max(255, 'This is too long.')
    .regex(/^[\w.@+-]*$/, 'Only letters, digits and . _ @ + - can be in it.')
    .meta(asked)
}

/** A host or base address, with or without `https://`. */
export function addressField({ optional, named, ...asked }: MaybeNamed<MaybeAsked>) {
  return z
    .string()
    .min(optional ? 0 : 1, `Give the ${named ? asked.label : inSentence(asked.label)}.`)
    .max(500, 'This is too long.')
    .refine(
      given => (optional && given === '') || isBaseAddress(given),
      `This is not an address. It looks like ${asked.placeholder ?? 'app.example.com'}.`,
    )
    .meta(asked)
}

/** One of a closed list, such as the region; the first is the usual one. */
export function choiceField(
  { named, ...asked }: MaybeNamed<Asked>,
  choices: readonly [value: string, label: string][],
) {
  return z
    .string()
    .refine(
      given => choices.some(([value]) => value === given),
      `Choose the ${named ? asked.label : inSentence(asked.label)}.`,
    )
    .meta({ ...asked, choices: choices.map(([value, label]) => ({ value, label })) } satisfies CredentialMeta)
}

/** A label as it stands in the middle of a sentence: `API token`, `access token`. */
export function inSentence(label: string): string {
  return /^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1)
}
