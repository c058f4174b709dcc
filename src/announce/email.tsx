// An announcement as an e-mail: plain tables that every mail program draws, and the same words as text.
import { render } from '@react-email/render'
import type { Announcement } from './announcement.ts'
import { type Words, wordsOf } from './words.ts'

export interface RenderedMail {
  subject: string
  html: string
  text: string
}

/** Subjects longer than this are cut by most mail programs. */
const subjectMax = 150

export async function renderMail(told: Announcement): Promise<RenderedMail> {
  const words = wordsOf(told)
  return {
    subject: Array.from(words.headline).slice(0, subjectMax).join(''),
    html: await render(<Mail words={words} />),
    text: textOf(words),
  }
}

const font = '-apple-system, BlinkMacSystemFont, "Segoe UI", Helvetica, Arial, sans-serif'
const cell = { padding: '6px 16px 6px 0', fontSize: 14, lineHeight: '20px', verticalAlign: 'top' } as const

function Mail({ words }: { words: Words }) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="color-scheme" content="light dark" />
        <title>{words.headline}</title>
      </head>
      <body style={{ margin: 0, padding: 24, fontFamily: font, color: '#1d1c1d', background: '#ffffff' }}>
        <table role="presentation" width="100%" cellPadding={0} cellSpacing={0}>
          <tbody>
            <tr>
              <td style={{ maxWidth: 560 }}>
                <h1 style={{ fontSize: 20, lineHeight: '28px', margin: '0 0 12px' }}>{words.headline}</h1>
                {words.sentences.map(sentence => (
                  <p key={sentence} style={{ fontSize: 15, lineHeight: '22px', margin: '0 0 12px' }}>
                    {sentence}
                  </p>
                ))}
                <Facts facts={words.facts} />
                {words.next ? (
                  <p style={{ fontSize: 15, lineHeight: '22px', margin: '12px 0' }}>{words.next}</p>
                ) : null}
                <p style={{ fontSize: 12, lineHeight: '18px', color: '#616061', margin: '24px 0 0' }}>
                  {footer}
                </p>
              </td>
            </tr>
          </tbody>
        </table>
      </body>
    </html>
  )
}

function Facts({ facts }: { facts: Words['facts'] }) {
  return (
    <table cellPadding={0} cellSpacing={0}>
      <tbody>
        {facts.map(({ label, value }) => (
          <tr key={label}>
            <td style={{ ...cell, color: '#616061' }}>{label}</td>
            <td style={cell}>{valueText(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const footer =
  'You get this mail because you connected this instance, own it, or are one of its recipients. Manage it in Slack: /saasm integrations.'

function textOf(words: Words): string {
  const facts = words.facts.map(({ label, value }) => `${label}: ${valueText(value)}`)
  const parts = [words.headline, ...words.sentences, facts.join('\n'), words.next, footer]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

/** `24 Nov 2026, 02:15 UTC`. */
function valueText(value: string | Date): string {
  if (!(value instanceof Date)) return value
  const day = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(value)
  return `${day}, ${value.toISOString().slice(11, 16)} UTC`
}
