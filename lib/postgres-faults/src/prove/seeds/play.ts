import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvenOperation } from '../../../../functions-runtime/src/api/proofs.ts'
import { startProxy } from '../../proxy/proxy.ts'
import { check, type Problem } from '../checker.ts'
import { type History } from '../history.ts'
import { type Lane } from '../lane.ts'
import { whatIsLeft } from '../left.ts'
import { undisturbed } from '../tools.ts'
import { disturberOf } from './disturb.ts'
import { describeStep, type Schedule } from './schedule.ts'
import { openSeats } from './seats.ts'
import { openSenders } from './senders.ts'

/** What became of a schedule. */
export interface Played {
  /** One for each operation that was sent. */
  readonly histories: readonly History[]
  readonly problems: readonly Problem[]
  /** What the containers have printed. */
  readonly output: string
}

export interface PlayOptions {
  readonly lane: Lane
  readonly operations: readonly ProvenOperation[]
}

const WAY = 'direct'

/** Plays a schedule, then lets everything come to its end undisturbed, and checks what is there. */
export async function play(schedule: Schedule, { lane, operations }: PlayOptions): Promise<Played> {
  const { stage, ground } = lane
  const run = `s${randomBytes(8).toString('hex')}`
  const database = await ground.borrow(WAY)
  const proxy = await startProxy({ target: database.targetOf(WAY), certificates: stage.certificates })
  const variablesOf = (name: string) => stage.variablesOf(name, { proxy, database, way: WAY, buffered: false })
  const seats = openSeats({ plans: schedule.containers, spares: { present: stage.spares, other: stage.otherSpares ?? stage.spares }, variablesOf })
  const disturber = disturberOf({ proxy, ground, seats })
  const senders = openSenders({ run, subject: stage.subject, operations, seats })
  const around = (work: Parameters<typeof undisturbed>[0]) => undisturbed(work, { lane, database, way: WAY, buffered: false, id: run })
  try {
    const requests = senders.requestsOf(schedule)
    await around(async tools => {
      for (const { operation, id } of requests) await operation.before?.(id, tools)
    })
    await seats.prepare(senders.functionsOf(schedule))
    senders.start()
    for (const step of schedule.steps) {
      await sleep(step.afterMs)
      if (step.do !== 'send') senders.note(describeStep(step))
      if (step.do === 'send' || step.do === 'maintain') senders.begin(step)
      else disturber.begin(step)
    }
    await disturber.end()
    senders.note('nothing disturbs any more')
    await senders.end()
    await around(async tools => {
      for (const { operation, id } of requests) await operation.after?.(id, tools)
    })
    const printed = await seats.shutdown()
    const { left, sessions } = await whatIsLeft(database, WAY)
    const output = [printed, ...sessions.map(session => `session left: ${session}\n`)].join('')
    const histories = await senders.histories(database, left)
    const problems = histories.flatMap(check)
    if (problems.length === 0) database.release()
    return { histories, problems, output }
  } finally {
    await seats.shutdown()
    await proxy.stop()
  }
}
