// Downloading what a person uploaded: from Slack's own hosts only, with the bot token, within a size and a time.
import { SlackFailure } from './post.ts'

const timeoutMs = 20_000
/** Slack's own hosts send on to each other. */
const hopsMax = 3
const slackApi = 'https://slack.com/api/'

/**
 * The bytes at `address`. Throws SlackFailure: `foreign_file` for an address that is not Slack's, `missing_scope` for Slack's
 * sign-in page, which a token without files:read gets (as a redirect, or with status 200), `file_too_large`, `http_…`, `network`.
 */
export async function download(
  options: { botToken: string; apiUrl: string | null },
  address: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(timeoutMs)
  let url = slackUrl(address, options.apiUrl)
  if (!url) throw new SlackFailure('permanent', 'foreign_file')
  try {
    for (let hop = 0; hop <= hopsMax; hop += 1) {
      const answer = await fetch(url, {
        headers: { authorization: `Bearer ${options.botToken}` },
        redirect: 'manual',
        signal,
      })
      if (answer.status >= 300 && answer.status < 400) {
        await answer.body?.cancel()
        // The token goes nowhere else, and a sign-in page is no file.
        const next = slackUrl(new URL(answer.headers.get('location') ?? '', url).href, options.apiUrl)
        if (!next || /\/signin\b/.test(next.pathname)) throw new SlackFailure('permanent', 'missing_scope')
        url = next
        continue
      }
      if (answer.status !== 200) {
        await answer.body?.cancel()
        throw new SlackFailure(answer.status >= 500 ? 'ambiguous' : 'permanent', `http_${answer.status}`)
      }
      if (/^text\/html\b/i.test(answer.headers.get('content-type') ?? '')) {
        await answer.body?.cancel()
        throw new SlackFailure('permanent', 'missing_scope')
      }
      return await capped(answer, maxBytes)
    }
    throw new SlackFailure('permanent', 'too_many_redirects')
  } catch (error) {
    if (error instanceof SlackFailure) throw error
    // The cause is left out: it may quote what was sent.
    throw new SlackFailure('ambiguous', 'network')
  }
}

/** Below the API's own origin, or https on a host of its domain: files.slack.com beside slack.com. */
function slackUrl(address: string, apiUrl: string | null): URL | undefined {
  if (!URL.canParse(address)) return undefined
  const [url, api] = [new URL(address), new URL(apiUrl ?? slackApi)]
  const own = url.origin === api.origin
  const beside = url.protocol === 'https:' && url.port === '' && url.hostname.endsWith(`.${api.hostname}`)
  return own || beside ? url : undefined
}

async function capped(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) throw new SlackFailure('permanent', 'file_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
