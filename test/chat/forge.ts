// Payloads that no person of the sandbox would send: signed as Slack signs, with a trigger and a reply address that are real.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newId } from '../../src/lib/ids.ts'
import { createDeliveries } from '../../src/sandbox/slack/deliveries.ts'
import type { World } from '../support/world.ts'

export interface Forged {
  userId: string
  teamId?: string
}

/** What stands in a forged window: metadata and inputs, by block and action id. */
export interface ForgedView {
  id?: string
  hash?: string
  callbackId: string
  metadata?: unknown
  values?: Record<string, Record<string, unknown>>
}

/** The forger of a world that listens on HTTP. */
export async function createForge(world: World) {
  const { channel, signingSecret } = world.sandbox.settings
  const appUrl = `http://127.0.0.1:${world.app.port()}`
  const deliveries = createDeliveries(signingSecret)
  deliveries.connect(appUrl)
  let tapped: URLSearchParams | undefined
  const tap = createServer((req, res) => {
    let body = ''
    req.on('data', chunk => {
      body += chunk
    })
    req.on('end', () => {
      tapped = new URLSearchParams(body)
      res.end()
    })
  })
  await new Promise<void>(done => tap.listen(0, '127.0.0.1', done))
  const tapUrl = `http://127.0.0.1:${(tap.address() as AddressInfo).port}`

  /** A trigger and a reply address of this person, taken from a command that never reaches the app. */
  async function genuine(userId: string) {
    world.sandbox.connectTo(tapUrl)
    await world.sandbox.slack.as(userId).command(channel, '/saasm help')
    world.sandbox.connectTo(appUrl)
    return { trigger_id: tapped?.get('trigger_id'), response_url: tapped?.get('response_url') }
  }

  function envelope(type: string, { userId, teamId }: Forged) {
    const team = teamId ?? world.person('Ada').state().team.id
    return {
      type,
      team: { id: team },
      user: { id: userId, team_id: team },
      api_app_id: 'A0SAASM',
      token: 'x',
    }
  }

  function viewOf(view: ForgedView) {
    return {
      id: view.id ?? 'V0FORGED',
      hash: view.hash ?? '1.forged',
      type: 'modal',
      callback_id: view.callbackId,
      private_metadata:
        typeof view.metadata === 'string' ? view.metadata : JSON.stringify(view.metadata ?? {}),
      state: { values: view.values ?? {} },
    }
  }

  return {
    /** A button pressed: in a message of the sync channel, or in a window. */
    async press(by: Forged, actionId: string, value: string, view?: ForgedView) {
      const container = view
        ? { type: 'view', view_id: viewOf(view).id }
        : { type: 'message', message_ts: '1.1', channel_id: channel }
      return deliveries.send('interactive', {
        ...envelope('block_actions', by),
        ...(await genuine(by.userId)),
        container,
        ...(view ? { view: viewOf(view) } : { channel: { id: channel } }),
        actions: [{ type: 'button', action_id: actionId, block_id: 'forged', value }],
      })
    },
    submit: (by: Forged, view: ForgedView) =>
      deliveries.send('interactive', {
        ...envelope('view_submission', by),
        trigger_id: newId(),
        view: viewOf(view),
        response_urls: [],
      }),
    close: (by: Forged, view: ForgedView) =>
      deliveries.send('interactive', {
        ...envelope('view_closed', by),
        trigger_id: newId(),
        view: viewOf(view),
        is_cleared: true,
      }),
    load: (by: Forged, actionId: string, typed: string) =>
      deliveries.send('interactive', {
        ...envelope('block_suggestion', by),
        action_id: actionId,
        block_id: 'forged',
        value: typed,
        container: { type: 'view', view_id: 'V0FORGED' },
      }),
    openHome: (by: Forged) =>
      deliveries.send('events_api', {
        type: 'event_callback',
        team_id: envelope('', by).team.id,
        event_id: `Ev${newId()}`,
        event: { type: 'app_home_opened', user: by.userId, tab: 'home', channel: 'D0HOME' },
      }),
    async command(by: Forged, text: string) {
      const from = { team_id: envelope('', by).team.id, user_id: by.userId, channel_id: channel }
      return deliveries.send('slash_commands', {
        command: '/saasm',
        text,
        ...from,
        ...(await genuine(by.userId)),
      })
    },
    stop() {
      deliveries.stop()
      tap.close()
    },
  }
}
