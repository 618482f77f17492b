import { describe, expect, test } from 'vitest'
import { createShutdown, type ResourceName } from '../../src/server/shutdown.ts'

const IN_ORDER = ['schedules', 'types', 'changes', 'build', 'HTTP server', 'containers', 'Redis', 'PostgreSQL', 'lock'] as const

function setup({ wait = () => new Promise<false>(() => {}) }: { wait?: (ms: number) => Promise<false> } = {}) {
  const done: string[] = []
  const reports: string[] = []
  const shutdown = createShutdown({ report: message => reports.push(message), wait })
  const add = (name: ResourceName, end: () => void | Promise<void> = () => {}) =>
    shutdown.add(name, {
      end: () => {
        done.push(`end ${name}`)
        return end()
      },
      kill: () => void done.push(`kill ${name}`),
    })
  return { done, reports, shutdown, add }
}

describe('a shutdown', () => {
  test('ends everything in order, whatever started first', async () => {
    const { add, shutdown, done } = setup()
    for (const name of [...IN_ORDER].reverse()) add(name)
    await shutdown.run()
    expect(done).toEqual(IN_ORDER.map(name => `end ${name}`))
  })

  test('waits for one thing before it ends the next', async () => {
    const { add, shutdown, done } = setup()
    let closed = () => {}
    add('HTTP server', () => new Promise(resolve => (closed = resolve)))
    add('PostgreSQL')
    const running = shutdown.run()
    await Promise.resolve()
    expect(done).toEqual(['end HTTP server'])
    closed()
    await running
    expect(done).toEqual(['end HTTP server', 'end PostgreSQL'])
  })

  test('uses force on what does not end in its time and goes on', async () => {
    const { add, shutdown, done, reports } = setup({ wait: ms => (ms === 2_500 ? Promise.resolve(false as const) : new Promise(() => {})) })
    add('HTTP server', () => new Promise(() => {}))
    add('lock')
    await shutdown.run()
    expect(done).toEqual(['end HTTP server', 'kill HTTP server', 'end lock'])
    expect(reports).toEqual(['HTTP server: did not end within 2.5 s'])
  })

  test('stays under ten seconds in all when nothing ends by itself', async () => {
    const waits: number[] = []
    const { add, shutdown } = setup({
      wait: async ms => {
        waits.push(ms)
        return false
      },
    })
    for (const name of IN_ORDER) add(name, () => new Promise(() => {}))
    await shutdown.run()
    expect(waits).toHaveLength(IN_ORDER.length)
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(7_000)
  })

  test('goes on after a failure', async () => {
    const { add, shutdown, done, reports } = setup()
    add('PostgreSQL', () => Promise.reject(new Error('no')))
    add('lock')
    await shutdown.run()
    expect(done).toEqual(['end PostgreSQL', 'kill PostgreSQL', 'end lock'])
    expect(reports).toEqual(['PostgreSQL: did not end cleanly'])
  })

  test('runs once however often it is asked for', async () => {
    const { add, shutdown, done } = setup()
    add('lock')
    await Promise.all([shutdown.run(), shutdown.run()])
    expect(done).toEqual(['end lock'])
  })

  test('at once kills what is still there, before it returns', () => {
    const { add, shutdown, done } = setup()
    add('lock')
    add('PostgreSQL')
    void shutdown.run()
    shutdown.atOnce()
    expect(done).toEqual(['end PostgreSQL', 'kill PostgreSQL', 'kill lock'])
  })
})
