// Assertions: what must be true whatever a person, a vendor or a network does. A failed one is our own bug.

/** Throw unless `condition` holds; `sentence` says what must be true. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(`Broken assumption: ${sentence}`)
}

/** The first of `rows`, which must exist: for statements that return exactly one row. */
export function one<T>(rows: readonly T[], sentence: string): T {
  const first = rows[0]
  assert(first !== undefined, sentence)
  return first
}
