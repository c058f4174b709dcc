// What must not be said: an error that quotes a secret that was sent, in any of the forms it may come back in, is cleaned of it.
import { ProviderError } from './errors.ts'

/** Shorter ones are no secrets, and would be found in any sentence. */
const secretMin = 4

/** The secrets in the headers of a request: each value, and what follows its scheme. */
export function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap(value => [value, ...value.split(/[\s,=:]+/).slice(1)])
}

/** The same error without `secrets` in what people or the log are told. */
export function withoutSecrets(error: ProviderError, secrets: readonly string[]): ProviderError {
  const clean = (text: string) => unsaid(text, secrets)
  if ([error.message, error.detail, ...error.missing].every(text => clean(text) === text)) return error
  return new ProviderError(error.problem, {
    message: clean(error.message),
    detail: clean(error.detail),
    missing: error.missing.map(clean),
    ...(error.until ? { until: error.until } : {}),
    ...(error.field === undefined ? {} : { field: error.field }),
  })
}

/** The text with … in the place of each secret. */
export function unsaid(text: string, secrets: readonly string[]): string {
  // No form of a secret is shorter than the secret: a file of megabytes is in no sentence.
  const forms = secrets
    .filter(secret => secret.length >= secretMin && secret.length <= text.length)
    .flatMap(formsOf)
  return forms.reduce((left, form) => left.replaceAll(form, '…'), text)
}

/** As it is, in a URL, in JSON, and in base64; the longest first, so that none is left half. */
function formsOf(sent: string): string[] {
  // A vendor's own token may be no text at all, and is sent as what is left of it.
  const secret = sent.toWellFormed()
  const bytes = Buffer.from(secret, 'utf8')
  const forms = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}
