// Which addresses a connector may reach: https on the public internet, unless the operator opens private networks.
import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { ProviderError } from './errors.ts'

/** True for an address that anybody on the internet could reach; text that is no IP address is not global. */
export function isGlobalAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  return ipaddr.process(address).range() === 'unicast'
}

/** The refusal of an address inside a private network. */
export function privateAddress(host: string): ProviderError {
  return new ProviderError('settings', {
    message:
      'This address is not on the public internet. Give one that is, or ask who runs saasm to allow it.',
    detail: `address refused: ${host}`,
  })
}

/**
 * Read and check an address before anything is sent to it.
 * Throws ProviderError `settings`: not a URL, not https, a user name inside, or an IP address that is not global.
 */
export function checkedUrl(address: string, allowPrivateNetwork: boolean): URL {
  const refuse = (message: string, detail: string) => new ProviderError('settings', { message, detail })
  if (!URL.canParse(address)) throw refuse('This is not a web address. Check it.', 'address refused: no URL')
  const url = new URL(address)
  if (url.username !== '' || url.password !== '')
    throw refuse('Leave the user name and password out of the address.', 'address refused: user name inside')
  if (url.protocol === 'http:' && !allowPrivateNetwork)
    throw refuse('This address must start with https://.', 'address refused: http')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse('This address must start with https://.', `address refused: ${url.protocol}`)
  if (allowPrivateNetwork) return url
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (host === 'localhost' || host.endsWith('.localhost')) throw privateAddress(host)
  if (ipaddr.isValid(host) && !isGlobalAddress(host)) throw privateAddress(host)
  return url
}

/** Resolves names for the connection itself, so that what was checked is what is connected to; one private address refuses all. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, [])
      return
    }
    const first = addresses[0]
    if (!first || addresses.some(({ address }) => !isGlobalAddress(address))) {
      callback(privateAddress(hostname), [])
      return
    }
    if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}
