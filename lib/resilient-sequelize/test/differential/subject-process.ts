import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Case, Outcome } from './case.ts'
import type { CaseAnswer, CaseOrder, SubjectOrder } from './child/orders.ts'

/** One subject, running in a process of its own. */
export interface SubjectProcess {
  /** Resolves to what the subject made of the case, or to what ended its process. */
  run(one: Case, fault?: string): Promise<Outcome>
  stop(): Promise<void>
}

const PROGRAM = join(import.meta.dirname, 'child/main.ts')

/** Starts the process of a subject; it runs one case after the other. */
export async function startSubject(order: SubjectOrder): Promise<SubjectProcess> {
  // pg takes settings from the environment as well.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:PG|TZ$|NODE_OPTIONS$|VITEST)/.test(name)))
  const child = fork(PROGRAM, [JSON.stringify(order)], {
    execArgv: ['--no-warnings'],
    env: { ...env, TZ: 'UTC' },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  let errorText = ''
  child.stderr?.on('data', chunk => (errorText += String(chunk)))
  const ended = once(child, 'exit').then(([code, signal]) => `The process has ended (${String(code ?? signal)}): ${errorText}`)
  const waiting = new Map<number, (outcome: Outcome) => void>()
  child.on('message', message => {
    if (message === 'ready') return
    const { id, outcome } = message as CaseAnswer
    waiting.get(id)?.(outcome)
    waiting.delete(id)
  })
  const first = await Promise.race([once(child, 'message').then(() => undefined), ended])
  if (first !== undefined) throw new Error(first)
  let next = 0
  return {
    async run({ group, title }, fault) {
      const id = (next += 1)
      const answered = new Promise<Outcome>(resolve => waiting.set(id, resolve))
      child.send({ id, group, title, fault } satisfies CaseOrder)
      return Promise.race([answered, ended.then(broken => ({ text: broken, broken }))])
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
