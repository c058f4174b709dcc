// The Web API's two methods with which an app uploads a file; between them the bytes go to an address of their own.
import { Refusal } from './refusal.ts'
import { type Method, text, writable } from './web-api.ts'

export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal': {
    scope: 'files:write',
    tier: 100,
    run: (args, { files }) => {
      const [name, length] = [text(args.filename), Number(args.length)]
      if (!name || !Number.isInteger(length) || length <= 0) throw new Refusal('invalid_arguments')
      const { id, address } = files.reserve(name, length)
      return { upload_url: address, file_id: id }
    },
  },
  'files.completeUploadExternal': {
    scope: 'files:write',
    tier: 100,
    run: (args, workspace) => {
      const wanted = args.files
      if (!Array.isArray(wanted) || wanted.length === 0) throw new Refusal('invalid_arguments')
      // Slack takes conversations only here, no person.
      if (!/^[CGDZ][A-Z0-9]+$/.test(String(args.channel_id)))
        throw new Refusal('invalid_arguments', {
          messages: [
            '[ERROR] input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]',
          ],
        })
      const channel = writable(workspace, args.channel_id)
      const files = (wanted as { id: string }[]).map(({ id }) => workspace.files.share(id))
      workspace.messages.post(channel, workspace.botUserId, {
        text: text(args.initial_comment) ?? '',
        threadTs: text(args.thread_ts),
        files: files.map(({ id, name, bytes }) => ({ id, name, size: bytes.length })),
      })
      return { files: files.map(({ id, name }) => ({ id, title: name })) }
    },
  },
}
