import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { INSPECTOR_PORT } from '../src/server/inspector.ts'
import { attachDebugger } from './support/debugger.ts'
import { addressOf, useNpmStart } from './support/npm-start.ts'

const stage = useNpmStart()
const HEALTH = 'packages/api/health/index.ts'
const answering = (status: number) => `export const main = async () => {
  const status = ${status}
  return { statusCode: status }
}`

describe('npm start --inspect', () => {
  it('stops at breakpoints in a TypeScript source, also after a save', async () => {
    stage.writeHealth(answering(203))
    try {
      const server = await stage.launchAndWait({ args: '--inspect health' })
      expect(server.output()).toContain(`Debugger: api/health on 127.0.0.1:${INSPECTOR_PORT}`)
      for (const status of [203, 204]) {
        if (status === 204) {
          const from = server.output().length
          stage.writeHealth(answering(status))
          await server.shows('rebuilt api/health', from)
          while ((await fetch(`${addressOf(server)}/health`)).status !== status);
        }
        const attached = await attachDebugger(INSPECTOR_PORT)
        await attached.breakAt(HEALTH, 3)
        const answer = fetch(`${addressOf(server)}/health`)
        expect(await attached.valueAtStop('status')).toBe(status)
        expect((await answer).status).toBe(status)
        await attached.detach()
      }
    } finally {
      stage.restoreHealth()
    }
  })

  it('names the functions when there is none of that name', async () => {
    const server = stage.launch({ args: '--inspect api/helth' })
    expect(await server.ends()).toMatchObject({ code: 1 })
    expect(server.output()).toMatch(/There is no function api\/helth to inspect\. There are api\/health, api\/user, api\/webhook/)
  })

  it('says so when the port of the debugger is taken', async () => {
    const other = createServer().listen(INSPECTOR_PORT, '127.0.0.1')
    await once(other, 'listening')
    try {
      const server = stage.launch({ args: '--inspect api/health' })
      expect(await server.ends()).toMatchObject({ code: 1 })
      expect(server.output()).toContain(`The debugger's port ${INSPECTOR_PORT} is taken`)
    } finally {
      other.close()
    }
  })
})
