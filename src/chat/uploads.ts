// What was uploaded into the file fields of a form: fetched from Slack after the acknowledgement, and read as text.
import {
  type Connector,
  type CredentialField,
  type Credentials,
  fieldsOf,
  readCredentials,
} from '../connectors/connector.ts'
import { ProviderError } from '../connectors/errors.ts'
import { type SlackClient, SlackFailure } from '../slack/post.ts'
import type { ShownView, UploadedFile } from '../slack/turn.ts'

/** The file that was put into each file field, by the field's key. */
export type Uploads = ReadonlyMap<string, UploadedFile>

export function uploadsIn(connector: Connector, view: ShownView): Uploads {
  return new Map(
    fileFields(connector).flatMap(({ key }) => {
      const file = view.inputs.files.get(key)?.[0]
      return file ? [[key, file] as const] : []
    }),
  )
}

/** What is wrong with the typed fields alone: what was uploaded is not there yet. */
export function problemsBut(
  uploads: Uploads,
  problems: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(problems).filter(([key]) => !uploads.has(key)))
}

/** The credentials, with what was uploaded in its fields. Throws ProviderError `settings` at the field that is wrong. */
export async function withUploads(
  slack: SlackClient,
  connector: Connector,
  { typed, uploads }: { typed: Readonly<Record<string, string>>; uploads: Uploads },
): Promise<Credentials> {
  const whole = { ...typed }
  for (const field of fileFields(connector)) {
    const upload = uploads.get(field.key)
    if (upload) whole[field.key] = await textOf(slack, field, upload)
  }
  const read = readCredentials(connector, whole)
  if (read.ok) return read.credentials
  const [field = '', message = ''] = Object.entries(read.problems)[0] ?? []
  throw refused(field, message)
}

function fileFields(connector: Connector) {
  return fieldsOf(connector).filter(
    (field): field is CredentialField & { file: NonNullable<CredentialField['file']> } =>
      field.file !== undefined,
  )
}

async function textOf(
  slack: SlackClient,
  { key, file }: { key: string; file: { maxBytes: number } },
  upload: UploadedFile,
): Promise<string> {
  try {
    const bytes = await slack.download(upload, file.maxBytes)
    if (bytes.byteLength === 0) throw refused(key, 'The file is empty.')
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (text.includes('\0')) throw refused(key, notText)
    return text
  } catch (error) {
    if (error instanceof TypeError) throw refused(key, notText)
    if (!(error instanceof SlackFailure)) throw error
    throw refused(key, reasons[error.code] ?? 'Slack did not hand the file over. Please try again.')
  }
}

const notText = 'The file is not text in UTF-8. Save it as “CSV UTF-8”, and upload it again.'

const reasons: Readonly<Record<string, string>> = {
  file_too_large: 'The file is too large.',
  missing_scope:
    'Slack does not let saasm read files. A workspace admin has to install saasm again with the scope files:read.',
}

function refused(field: string, message: string): ProviderError {
  return new ProviderError('settings', { message, detail: 'the upload was refused', field })
}
