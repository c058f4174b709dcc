// The doctor: runs the queries of drizzle/doctor.sql, each of which must return nothing, and says what is wrong and what helps.
import { readFile } from 'node:fs/promises'
import postgres from 'postgres'

export interface Finding {
  wrong: string
  help: string
  /** The rows, at most `rowsMax`, as JSON lines. */
  rows: string[]
  /** How many there are in all. */
  count: number
}

const rowsMax = 20
const statementTimeoutMs = 60_000

/** Ask every question of the file at `questions`; returns how many were asked and what was found. */
export async function examine(
  url: string,
  questions: string,
): Promise<{ asked: number; findings: Finding[] }> {
  const checks = readQuestions(await readFile(questions, 'utf8'))
  const sql = postgres(url, {
    max: 1,
    onnotice: () => {},
    connect_timeout: 10,
    connection: { application_name: 'saasm-doctor', statement_timeout: statementTimeoutMs },
  })
  try {
    const findings: Finding[] = []
    for (const { wrong, help, query } of checks) {
      const rows = await sql.unsafe(query)
      if (rows.length === 0) continue
      findings.push({
        wrong,
        help,
        count: rows.length,
        rows: rows.slice(0, rowsMax).map(row => JSON.stringify(row)),
      })
    }
    return { asked: checks.length, findings }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Each question is two comments and one statement. Throws when a statement lacks its comments: a silent check is none. */
function readQuestions(text: string): { wrong: string; help: string; query: string }[] {
  const statements = text.split(/;\s*$/m).filter(part => /^select/m.test(part))
  return statements.map(part => {
    const wrong = /^-- wrong: (.+)$/m.exec(part)?.[1]
    const help = /^-- do: (.+)$/m.exec(part)?.[1]
    if (!wrong || !help) throw new Error('A question of the doctor says neither what is wrong nor what to do')
    return { wrong, help, query: part.replaceAll(/^--.*$/gm, '').trim() }
  })
}

/** What the doctor found, for a person. */
export function report({ asked, findings }: { asked: number; findings: Finding[] }): string {
  if (findings.length === 0) return `All is well: ${asked} questions, nothing found.`
  const parts = findings.map(
    ({ wrong, help, rows, count }) =>
      `Wrong: ${wrong} (${count}).\n  Do: ${help}.\n${rows.map(row => `  ${row}`).join('\n')}${count > rows.length ? `\n  and ${count - rows.length} more` : ''}`,
  )
  return `${findings.length} of ${asked} questions found something.\n\n${parts.join('\n\n')}`
}
