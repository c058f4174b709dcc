// What an answer means: the connector's rules first, then the defaults, as a ProviderError that names who must act.
import { baseAddress, isBaseAddress } from './address.ts'
import { type Connector, type Credentials, fieldsOf, type Req, type Res } from './connector.ts'
import { ProviderError, type ProviderProblem } from './errors.ts'
import { named } from './target.ts'

/** What the person can do now: mend the form in front of them, or open Edit Instance. */
export type Place = 'form' | 'run'

export interface Asked {
  connector: Connector
  credentials: Credentials
  place: Place
  /** For the log: method and path, without the query. */
  what: string
  /** Named when a refusal does not say which permission is missing. */
  scopes: readonly string[]
  /** The request asks for a token. */
  granting?: boolean
}

/** The error that this answer is; undefined: it is not one. */
export function problemIn(asked: Asked, res: Res): ProviderError | undefined {
  const { connector } = asked
  const code = connector.errorCode?.(res.body) ?? (asked.granting ? grantError(res.body) : undefined)
  const rule = connector.rules.find(
    one =>
      (one.on === '*' || one.on === res.status) && (!one.code || (code !== undefined && one.code.test(code))),
  )
  const problem = rule?.is ?? (asked.granting ? grantProblem(res.status) : defaultProblem(res.status))
  if (problem === 'ok') return undefined
  const detail = [asked.what, res.status, code && /^[\w.:-]{1,60}$/.test(code) ? code : ''].join(' ').trim()
  const lacking = lackingIn(connector, res)
  if (problem === 'permission' || (lacking.length > 0 && (res.status === 403 || res.status === 404))) {
    const told = (rule?.missing?.(res) ?? []).filter(name => name !== '')
    return permissionError(
      asked,
      told.length > 0 ? told : lacking.length > 0 ? lacking : asked.scopes,
      detail,
    )
  }
  return providerError(asked, problem, detail, {
    ...(rule?.field ? { field: rule.field } : {}),
    ...(rule?.says ? { message: rule.says(asked.credentials) } : {}),
  })
}

/** The declared permissions that this answer says were not granted; empty when it does not say. */
export function lackingIn(connector: Connector, res: Res): readonly string[] {
  const granted = connector.granted?.(res)
  if (!granted) return []
  return connector.lacks
    ? connector.lacks(granted)
    : connector.scopes.filter(scope => !granted.includes(scope))
}

/** Throws `permission` when the answer says that a declared scope was not granted. */
export function mustGrant(asked: Asked, res: Res): void {
  const lacking = lackingIn(asked.connector, res)
  if (lacking.length > 0)
    throw permissionError(asked, lacking, `${asked.what} ${res.status} lacks ${lacking}`)
}

/** What is being asked, for the errors it may end with; `scopes` are the connector's own unless they are given. */
export function askedOf(
  {
    connector,
    credentials,
    place,
    scopes,
  }: Pick<Asked, 'connector' | 'credentials' | 'place'> & Partial<Pick<Asked, 'scopes'>>,
  req: Req,
): Asked {
  return {
    connector,
    credentials,
    place,
    scopes: scopes ?? connector.scopes,
    // Found when an error says it, and most requests end with none.
    get what() {
      return named(connector, credentials, req)
    },
  }
}

/** The token lacks `missing`. */
export function permissionError(asked: Asked, missing: readonly string[], detail: string): ProviderError {
  const { name } = asked.connector
  const message =
    missing.length > 0
      ? `The ${name} token lacks ${missing.join(', ')}. Grant it in ${name}, or use a token that has it.`
      : `The ${name} token has too few rights. Grant it more in ${name}, or use a token that has them.`
  return new ProviderError('permission', { message, detail, missing: [...missing] })
}

/** A ProviderError with the house's sentence for its problem, the app's name and the cure in it. */
export function providerError(
  asked: Asked,
  problem: ProviderProblem,
  detail: string,
  more: { field?: string; message?: string; until?: Date; cause?: unknown } = {},
): ProviderError {
  const field = more.field ?? fieldFor(asked, problem)
  const facts = { ...more, detail, message: more.message ?? sentence(asked, problem, field) }
  return new ProviderError(problem, field === undefined ? facts : { ...facts, field })
}

function sentence(asked: Asked, problem: ProviderProblem, field: string | undefined): string {
  const { connector, place } = asked
  const { name } = connector
  const label = fieldsOf(connector).find(({ key }) => key === field)?.label ?? 'settings'
  const inForm = place === 'form'
  switch (problem) {
    case 'credentials':
      return inForm
        ? `${name} refused the token. Check it, or make a new one.`
        : `${name} refused the token. Make a new one and put it in Edit Instance.`
    case 'permission':
      return `The ${name} token has too few rights. Grant it more in ${name}, or use a token that has them.`
    case 'settings':
      return inForm
        ? `${name} was not found there. Check “${label}”.`
        : `${name} was not found there. Check “${label}” in Edit Instance.`
    case 'busy':
      return inForm
        ? `${name} asks us to slow down. Try again in a few minutes.`
        : `${name} asks us to slow down. The next try comes by itself.`
    case 'broken':
      return inForm
        ? `${name} does not answer as it should. ${tryAgain(asked)}`
        : `${name} does not answer as it should. The next try comes by itself.`
    case 'unreadable':
      return inForm
        ? `${name} answered with something that saasm cannot read. Check “${label}”.`
        : `${name} answered with something that saasm cannot read. Nothing was changed.`
  }
}

/** Where nobody answers, the address is as likely wrong as the vendor is away, if a person has typed it. */
function tryAgain({ connector, credentials }: Asked): string {
  const typed = fieldsOf(connector).find(({ key, secret }) => {
    const given = credentials[key] ?? ''
    return !secret && isBaseAddress(given) && connector.base(credentials).startsWith(baseAddress(given, key))
  })
  return typed ? `Check “${typed.label}”, or try again in a few minutes.` : 'Try again in a few minutes.'
}

/** The field to mend: the one secret for a refused token, the first that is not secret for a wrong place. */
function fieldFor({ connector }: Asked, problem: ProviderProblem): string | undefined {
  const fields = fieldsOf(connector)
  if (problem === 'credentials') return fields.find(({ secret }) => secret)?.key
  if (problem === 'settings' || problem === 'unreadable') return fields.find(({ secret }) => !secret)?.key
  return undefined
}

/** RFC 6749, section 5.2. */
function grantError(body: unknown): string | undefined {
  const error = body && typeof body === 'object' && 'error' in body ? body.error : undefined
  return typeof error === 'string' ? error : undefined
}

/** A grant has no other rights than its credentials: what it refuses is theirs. */
function grantProblem(status: number): ProviderProblem | 'ok' {
  return [400, 401, 403].includes(status) ? 'credentials' : defaultProblem(status)
}

function defaultProblem(status: number): ProviderProblem | 'ok' {
  if (status >= 200 && status < 300) return 'ok'
  if (status === 401) return 'credentials'
  if (status === 402 || status === 403) return 'permission'
  if (status === 404) return 'settings'
  if (status === 429) return 'busy'
  if (status === 408 || status === 423 || status === 425 || status >= 500) return 'broken'
  return 'unreadable'
}
