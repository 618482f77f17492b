/* global process, performance */

// The process in which one way runs, as a container does: it loads its bundle, and calls when it is told to. Without
// types, so that nothing but the bundle is loaded.
const [, , entry] = process.argv

const beganAt = performance.now()
const way = require(entry)
const loadMs = performance.now() - beganAt

// How far the wall clock is ahead: a pause goes by in no time.
let aheadMs = 0
const { now } = Date
Date.now = () => now() + aheadMs

const orders = {
  loaded: async () => ({ loadMs }),
  evaluate: async () => {
    const startedAt = performance.now()
    await way.evaluate()
    return { loadMs, evaluateMs: performance.now() - startedAt }
  },
  call: async ({ kind, times }) => {
    const ms = []
    const errors = []
    const cpu = process.cpuUsage()
    for (let time = 0; time < times; time += 1) {
      const startedAt = performance.now()
      await way.call(kind).catch(error => errors.push(String(error)))
      ms.push(performance.now() - startedAt)
    }
    const { user, system } = process.cpuUsage(cpu)
    return { ms, errors, cpuMs: (user + system) / 1_000, uptimeMs: performance.now() }
  },
  pass: async ({ ms }) => void (aheadMs += ms),
  memory: async () => ({ residentMb: process.memoryUsage.rss() / 1024 / 1024 }),
}

process.on('message', ({ id, order, given }) => {
  orders[order](given).then(
    value => process.send({ id, value }),
    error => process.send({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send({ ready: true })
