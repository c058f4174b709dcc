// Announcements while the processes that deliver them are killed again and again: each is told exactly once, and none is lost.
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { announce } from '../../src/announce/announce.ts'
import { appendOutbox, type NewOutboxEntry } from '../../src/announce/outbox.ts'
import { appendAudit } from '../../src/audit/store.ts'
import type { Instance } from '../../src/instances/instance.ts'
import { nextTransition, recordOutcome } from '../../src/instances/store.ts'
import { announcementOf } from '../../src/sync/told.ts'
import { testDatabase } from '../support/postgres.ts'
import { type Chance, chanceOf } from './chance.ts'
import { type Stage, stageOn } from './stage.ts'

/** How often Slack and the mail service fail, and how. */
const shares = { lostAfterStoring: 0.08, errorAfterStoring: 0.08, tooMany: 0.05 }
const workersAtOnce = 3
/** A worker lives until Slack and the mail service were asked this often, and for up to the time of an answer after that. */
const livesFor = { least: 2, most: 14 }
/** One that has nothing to send is killed all the same. */
const idleMaxMs = 20_000
/** How long Slack and the mail service take to answer. */
const answersMs = { least: 50, most: 400 }
/** After the last kill: leases that end (60 s), those of a second attempt, the longest wait of an unlucky one (120 s), and what is looked for twice. */
const settlesMs = 330_000

test.concurrent('300 posts to Slack under 100 kills, with 21 % bad answers: each is there once, none is lost', async () => {
  await underKills(
    'Slack under kills',
    { media: ['Slack'], kills: 100, announcements: 300 },
    async (stage, of, name) => {
      await append(stage, of, name, { medium: 'slack', destination: stage.sandbox.settings.channel })
    },
  )
})

test.concurrent('300 e-mails under 100 kills, with 21 % bad answers: each is there once, none is lost', async () => {
  await underKills(
    'Resend under kills',
    { media: ['mail'], kills: 100, announcements: 300 },
    async (stage, of, name) => {
      await append(stage, of, name, { medium: 'email', destination: 'ops@acme.example' })
    },
  )
})

test.concurrent('120 failures in floods under 40 kills: each is named once, alone or in a bundle', async () => {
  const sizes = chanceOf('Sizes of floods')
  let left = 0
  await underKills(
    'Floods under kills',
    {
      media: ['Slack', 'mail'],
      kills: 40,
      announcements: 120,
      perKill: () => {
        // A flood of up to 20, and then nothing for a while: a bundle shows 40 by name.
        left -= 3
        if (left > 0) return 0
        left = Math.floor(sizes.between(8, 20))
        return left
      },
    },
    async (stage, _of, name) => {
      const failing = await instanceOf(stage, name)
      const told = {
        users: 0,
        lastSuccessAt: null,
        next: 'Next.',
        failure: { code: 'broken', message: 'Okta does not answer.', missing: [], reference: 'E2345678' },
      }
      const now = new Date()
      const announcement = announcementOf(failing, 'failed', told, { at: now, actor: null })
      const where = { channel: stage.sandbox.settings.channel, now, ring: () => {} }
      await stage.db.transaction(tx =>
        announce(tx, { announcement, instance: failing, incident: 'open' }, where),
      )
    },
  )
})

type Tell = (stage: Stage, of: Instance, name: string) => Promise<void>

interface Load {
  media: readonly ('Slack' | 'mail')[]
  kills: number
  announcements: number
  /** How many announcements are made at each kill; as many as spread them over all kills, unless told. */
  perKill?: () => number
}

/** Announce while workers are killed: announcements and kills go on together to the end, and then everything is counted. */
async function underKills(name: string, load: Load, tell: Tell): Promise<void> {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    const asked = breakAnswers(stage, chanceOf(`${name}, answers`))
    const of = await instanceOf(stage, 'okta-under-fire')
    await watchTakeovers(stage)
    const names: string[] = []
    const announceSome = async (wanted: number) => {
      for (let n = 0; n < wanted && names.length < load.announcements; n += 1) {
        names.push(`app-${String(names.length + 1).padStart(3, '0')}`)
        await tell(stage, of, names.at(-1) ?? '')
      }
    }
    const perKill = load.perKill ?? (() => Math.ceil((load.announcements * 0.9) / load.kills))
    await announceSome(load.announcements * 0.1)
    const chance = chanceOf(`${name}, kills`)
    await killing(stage, { kills: load.kills, asked, chance }, () => announceSome(perKill()))
    await announceSome(load.announcements)
    await stage.worker()
    await stage.quiet(settlesMs)
    const [taken] = await stage.rows('select count(*)::int as over from takeover')
    process.stdout.write(
      `${name}: ${load.kills} kills, after which ${taken?.over} tellings were taken over\n`,
    )
    expect(taken?.over, 'the kills hit what they were meant to hit').toBeGreaterThan(load.kills / 10)
    expect(await stage.rows("select state, attempt, reason from outbox where state <> 'sent'")).toEqual([])
    for (const medium of load.media) {
      const count = medium === 'Slack' ? stage.told : stage.mailed
      const wrong = names.map(one => ({ one, times: count(one) })).filter(({ times }) => times !== 1)
      expect(wrong, medium).toEqual([])
    }
    await stage.expectSound()
  } finally {
    await stage.close()
    await database.drop()
  }
}

/** Keep a few workers alive, and kill one after the other in the middle of what they do. */
async function killing(
  stage: Stage,
  { kills, asked, chance }: { kills: number; asked: () => number; chance: Chance },
  between: () => Promise<void>,
): Promise<void> {
  let killed = 0
  const lane = async () => {
    while (killed < kills) {
      const worker = await stage.worker()
      const until = asked() + chance.between(livesFor.least, livesFor.most)
      const latest = Date.now() + idleMaxMs
      while (asked() < until && Date.now() < latest) await wait(5)
      await wait(chance.between(0, answersMs.most))
      // What another lane did meanwhile may have been the last one.
      if (killed >= kills) return
      killed += 1
      worker.signal('SIGKILL')
      await worker.ended
      await between()
    }
  }
  await Promise.all(Array.from({ length: workersAtOnce }, lane))
}

/** Slack and the mail service answer late, lose answers, and refuse, each by its share; says how often they were asked. */
function breakAnswers(stage: Stage, chance: Chance): () => number {
  let asked = 0
  const choose = () => {
    asked += 1
    const at = chance.next()
    const { lostAfterStoring, errorAfterStoring, tooMany } = shares
    if (at < lostAfterStoring) return 'lost'
    if (at < lostAfterStoring + errorAfterStoring) return 'error'
    return at < lostAfterStoring + errorAfterStoring + tooMany ? 'tooMany' : 'late'
  }
  const delay = () => ({ kind: 'delay', ms: chance.between(answersMs.least, answersMs.most) }) as const
  const lost = { kind: 'lost-after-storing' } as const
  const error = { kind: 'status', status: 503, afterStoring: true } as const
  stage.sandbox.slack.faults.each(method => {
    if (!/^(chat|conversations)\./.test(method)) return undefined
    const tooMany = { kind: 'rate-limited', retryAfterSeconds: 1 } as const
    return { lost, error, tooMany, late: delay() }[choose()]
  })
  stage.sandbox.mailbox.faults.each(() => {
    const tooMany = { kind: 'status', status: 429, retryAfterSeconds: 1 } as const
    return { lost, error, tooMany, late: delay() }[choose()]
  })
  return () => asked
}

/** Count the claims that take a telling over from a worker that did not settle it. */
async function watchTakeovers(stage: Stage): Promise<void> {
  await stage.rows('create table takeover (id uuid)')
  await stage.rows(`create function note_takeover() returns trigger language plpgsql as
    'begin insert into takeover values (new.id); return new; end'`)
  await stage.rows(`create trigger note_takeover after update on outbox for each row
    when (old.state = 'sending' and new.state = 'sending' and new.fence > old.fence) execute function note_takeover()`)
}

/** An instance that has synced before. */
async function instanceOf(stage: Stage, name: string): Promise<Instance> {
  const instance = await stage.instance(stage.vendor(), name)
  const [now, inAnHour] = [new Date(), new Date(Date.now() + 3_600_000)]
  await stage.db.transaction(async tx => {
    await recordOutcome(tx, instance.id, {
      lastOutcome: 'succeeded',
      lastSuccessAt: now,
      nextSyncAt: inAnHour,
    })
    const { teamId } = instance
    await appendAudit(tx, {
      teamId,
      actor: 'saasm',
      source: 'run',
      action: 'sync.initial-succeeded',
      instance,
    })
  })
  return instance
}

/** One telling of one change of an instance to one place, under a name of its own: none that may be gathered with others. */
async function append(
  stage: Stage,
  of: Instance,
  name: string,
  to: Pick<NewOutboxEntry, 'medium' | 'destination'>,
): Promise<void> {
  const now = new Date()
  const told = { users: 3, lastSuccessAt: now, next: 'Next.' }
  const announcement = announcementOf({ ...of, name }, 'reactivated', told, { at: now, actor: null })
  await stage.db.transaction(async tx => {
    const transitionSeq = await nextTransition(tx, of.id)
    const { teamId, id: instanceId } = of
    await appendAudit(tx, {
      teamId,
      actor: 'U0ADA',
      source: 'modal',
      action: 'instance.reactivated',
      instance: of,
    })
    await appendOutbox(tx, [{ ...to, teamId, instanceId, transitionSeq, announcement, now }])
  })
}
