// The one HTTP client of the connectors: guarded addresses, no redirects, a cap on the body and on the whole time.
import { rootCertificates } from 'node:tls'
import { Agent } from 'undici'
import { ProviderError } from './errors.ts'
import { textOf, unpacked } from './http-body.ts'
import { exchange, type HttpRequest } from './http-exchange.ts'
import { checkedUrl, guardedLookup, type Network, systemNetwork } from './http-guard.ts'

const connectTimeoutMs = 10_000
const headersMaxBytes = 64 * 1024

export interface HttpAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  readonly text: string
  /** The body as it came, unpacked; a client that has none of its own gives only the text. */
  bytes?: Buffer
}

export interface Http {
  /**
   * Ask once. Throws ProviderError: `settings` for a refused address, an unknown host or a redirect; `credentials` for a
   * header that cannot be sent; `broken` when the network, the certificate or time fails; `unreadable` for a body above
   * `maxBytes`. No error has a cause: the network's own could quote what was sent. Throws the signal's reason when aborted.
   */
  request(request: HttpRequest): Promise<HttpAnswer>
  close(): Promise<void>
}

/**
 * Make the client; `allowPrivateNetwork` is the operator's choice, never an admin's. With an agent of its own it asks no
 * proxy, whatever the environment says.
 */
export function createHttp(options: { allowPrivateNetwork: boolean; network?: Network }): Http {
  const network = options.network ?? systemNetwork
  const agent = new Agent({
    connections: 8,
    maxHeaderSize: headersMaxBytes,
    connect: {
      timeout: connectTimeoutMs,
      lookup: guardedLookup(network, options.allowPrivateNetwork),
      // Said here, since NODE_TLS_REJECT_UNAUTHORIZED could take it away.
      rejectUnauthorized: true,
      ...(network.ca ? { ca: [...rootCertificates, network.ca] } : {}),
    },
  })
  return {
    async request(request) {
      const url = checkedUrl(request.url, options.allowPrivateNetwork)
      refuseUnsendable(request.headers)
      request.signal.throwIfAborted()
      try {
        const { status, headers, body } = await exchange(agent, url, request)
        const packed = headers['content-encoding']
        const whole = packed === undefined ? body : await unpacked(body, packed, request.maxBytes)
        request.signal.throwIfAborted()
        return {
          ...{ status, headers, bytes: whole },
          get text() {
            return textOf(whole)
          },
        }
      } catch (error) {
        request.signal.throwIfAborted()
        throw named(error)
      }
    },
    close: () => agent.destroy(),
  }
}

/** What HTTP cannot carry in a header: the client's own refusal would quote the value, a token. */
function refuseUnsendable(headers: Readonly<Record<string, string>>): void {
  if (Object.values(headers).every(value => /^[\t\x20-\x7e\x80-\xff]*$/.test(value))) return
  throw new ProviderError('credentials', {
    message: 'The token has letters or line breaks that cannot be sent. Copy it anew.',
    detail: 'header refused',
  })
}

function named(error: unknown): ProviderError {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ProviderError) return at
    if ('code' in at && at.code === 'ENOTFOUND')
      return new ProviderError('settings', {
        message: 'There is no host of this name. Check the address.',
        detail: 'ENOTFOUND',
      })
  }
  const code = networkCode(error)
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)
  return new ProviderError('broken', {
    message: untrusted ? 'The certificate there is not to be trusted.' : 'The connection failed.',
    detail: code,
  })
}

function networkCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string') return at.code
  return 'network error'
}
