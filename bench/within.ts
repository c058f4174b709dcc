// A limit on a wait: a benchmark that hangs says where.

/** What `work` resolves to; throws an error that says `otherwise` when it takes longer than `seconds`. */
export async function within<T>(seconds: number, work: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} (${seconds} s)`)), seconds * 1_000)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
