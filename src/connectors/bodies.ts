// What a declaration needs from an answer's body: a list, a word or a flag at the end of a path of keys.
import { z } from 'zod'
import { RowRefused } from './errors.ts'

/** An id, of a number as of a text. Throws RowRefused for a number that was rounded as it was read: two people may share it. */
export const anyId = z.union([z.string(), z.number()]).transform(id => {
  if (typeof id === 'number' && !Number.isSafeInteger(id))
    throw new RowRefused('The account’s id is a number that cannot be read exactly.')
  return String(id)
})

type Path = readonly (string | number)[]

/** The value at the end of the path; undefined where the path breaks off. */
export function at(body: unknown, ...path: Path): unknown {
  let found = body
  for (const key of path) {
    if (found === null || typeof found !== 'object') return undefined
    found = (found as Record<string | number, unknown>)[key]
  }
  return found
}

/** For `items`: the array at the end of the path, or the body itself without one. */
export function listAt(...path: Path): (body: unknown) => readonly unknown[] | undefined {
  return body => {
    const found = at(body, ...path)
    return Array.isArray(found) ? found : undefined
  }
}

/** For codes, cursors and names: the text or number at the end of the path, as text; undefined for none or ''. */
export function textAt(...path: Path): (body: unknown) => string | undefined {
  return body => {
    const found = at(body, ...path)
    return (typeof found === 'string' && found !== '') || typeof found === 'number'
      ? String(found)
      : undefined
  }
}

/** For `more` of a pager: whether true stands at the end of the path. */
export function flagAt(...path: Path): (body: unknown) => boolean {
  return body => at(body, ...path) === true
}

/** The words of a list of scopes in one text, apart by spaces or commas. */
export function wordsIn(text: string | undefined): string[] | undefined {
  return text?.split(/[\s,]+/).filter(word => word !== '')
}
