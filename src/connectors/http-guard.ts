// Which addresses a connector may reach: https on the public internet, unless the operator opens private networks.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { ProviderError } from './errors.ts'

/** The network as the client finds it. */
export interface Network {
  /** Every address of a name. */
  lookup(
    hostname: string,
    done: (error: NodeJS.ErrnoException | null, found: readonly LookupAddress[]) => void,
  ): void
  /** Where an address that was checked is connected to: itself, but in a test that has only loopback. */
  reach(address: string): string
  /** PEM of an authority that is trusted beside the system's. */
  ca?: string
}

/** The machine's own: its resolver (hosts file included) and its routes. */
export const systemNetwork: Network = {
  lookup: (hostname, done) =>
    systemLookup(hostname, { all: true }, (error, found) => done(error, found ?? [])),
  reach: address => address,
}

/** Where clouds hand credentials to whoever asks from within: refused whatever the operator opened. */
const metadataAddresses = [
  '169.254.169.254', // most clouds
  'fd00:ec2::254', // AWS
  'fd20:ce::254', // Google
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
].map(address => ipaddr.process(address).toString())
/** No application lives there; `unspecified` connects to this very machine. */
const neverRanges = ['unspecified', 'broadcast', 'multicast', 'linkLocal']

/** True for an address that anybody on the internet could reach; text that is no IP address is not global. */
export function isGlobalAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || isMetadata(address)) return false
  const ip = ipaddr.process(address)
  if (ip.range() !== 'unicast') return false
  // Of IPv6 only 2000::/3 is given out (RFC 4291); the library calls the unassigned rest unicast, too.
  return ip instanceof ipaddr.IPv4 || ip.match(ipaddr.IPv6.parseCIDR('2000::/3'))
}

/** May a connector connect there? Never to a metadata service, a link-local or a multicast address. */
export function isAllowedAddress(address: string, allowPrivateNetwork: boolean): boolean {
  if (isGlobalAddress(address)) return true
  if (!allowPrivateNetwork || !ipaddr.isValid(address) || isMetadata(address)) return false
  return !neverRanges.includes(ipaddr.process(address).range())
}

function isMetadata(address: string): boolean {
  return metadataAddresses.includes(ipaddr.process(address).toString())
}

/** Where something else listens that could be made to obey: the ports that fetch blocks (Fetch, section 2.9). */
const blockedPorts = new Set(
  [
    '1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135',
    '137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995',
    '1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080',
  ].flatMap(ports => ports.split(' ')),
)

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
 * Throws ProviderError `settings`: not a URL, not https, a user name inside, a port or an IP address that is not allowed.
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
  if (blockedPorts.has(url.port))
    throw refuse(
      'This port is for something else than the web. Check the address.',
      `address refused: port ${url.port}`,
    )
  // Decimal, octal, hexadecimal and full-width spellings are dotted numbers by now.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '')
  if (ipaddr.isValid(host) && !isAllowedAddress(host, allowPrivateNetwork)) throw privateAddress(host)
  if (!allowPrivateNetwork && (host === 'localhost' || host.endsWith('.localhost')))
    throw privateAddress(host)
  return url
}

/**
 * Resolves names for the connection itself, so that what was checked is what is connected to, however the name answers the
 * next time. One address that is not allowed refuses them all.
 */
export function guardedLookup(network: Network, allowPrivateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    network.lookup(hostname, (error, found) => {
      if (error) {
        callback(error, [])
        return
      }
      const first = found[0]
      if (!first || found.some(({ address }) => !isAllowedAddress(address, allowPrivateNetwork))) {
        callback(privateAddress(hostname), [])
        return
      }
      if (options.all)
        callback(
          null,
          found.map(one => reached(network, one)),
        )
      else callback(null, reached(network, first).address, reached(network, first).family)
    })
  }
}

function reached(network: Network, { address }: LookupAddress): LookupAddress {
  const at = network.reach(address)
  return { address: at, family: at.includes(':') ? 6 : 4 }
}
