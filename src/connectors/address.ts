// Base addresses as people type them, turned into the one form that requests are made from.
import { ProviderError } from './errors.ts'

/**
 * A base address as a person types it, in the one form that is used: https unless a scheme is typed, without a query
 * or a slash at its end. Throws ProviderError `settings` when it cannot be one.
 */
export function baseAddress(typed: string, field: string): string {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (
    !url ||
    // `http:/example.com`: its scheme would be taken for a host.
    /^(https?\/|[a-z][a-z0-9+.-]*:\/(?!\/))/i.test(typed) ||
    !/^https?:$/.test(url.protocol) ||
    url.hostname === '' ||
    url.username !== '' ||
    url.password !== ''
  )
    throw new ProviderError('settings', {
      message: 'This is not a web address. Check it.',
      detail: 'address refused: no base address',
      field,
    })
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** The same without its scheme, as a tenant's key. */
export function placeOf(typed: string, field: string): string {
  return baseAddress(typed, field).replace(/^https?:\/\//, '')
}

/** For a credential schema: true when `baseAddress` takes it. */
export function isBaseAddress(typed: string): boolean {
  try {
    return baseAddress(typed, '') !== ''
  } catch {
    return false
  }
}
