import { setTimeout as sleep } from 'node:timers/promises'
import { type Seat } from './crew.ts'
import { type Stage } from './stage.ts'

/** What happens meanwhile; each ends with everything back in its place. */
export type Fault = (times: { shortMs: number; cutMs: number }) => Promise<void>

/** The faults of one round, in their order. */
export function faultsOn({ postgres, proxy, redis }: Stage, webhooks: readonly Seat[], maintenance: Seat): Record<string, Fault> {
  const any = () => webhooks[Math.floor(Math.random() * webhooks.length)] ?? maintenance
  const restart = (how: 'fast' | 'immediate') => async () => {
    await postgres.stop(how)
    await postgres.start()
  }
  const away = async (during: () => Promise<void>) => {
    await proxy.refuse('reset')
    proxy.cutAll('reset')
    await during()
    await proxy.accept()
  }
  return {
    'fast restart': restart('fast'),
    'a container killed': async () => {
      any().current().kill().catch(unheard)
    },
    'network silent': async ({ cutMs }) => {
      proxy.silence()
      await sleep(cutMs)
      proxy.cutAll('reset')
      proxy.unsilence()
    },
    'immediate restart': restart('immediate'),
    'a container paused': async ({ shortMs }) => {
      const container = any().current()
      container.pause()
      await sleep(shortMs)
      container.resume()
    },
    'maintenance killed': async () => {
      maintenance.current().kill().catch(unheard)
    },
    'connections refused': ({ shortMs }) => away(() => sleep(shortMs)),
    'sessions cut': async () => proxy.cutAll('close'),
    ...(redis === undefined
      ? {}
      : {
          'Redis killed while the database is away': ({ shortMs }) =>
            away(async () => {
              await sleep(shortMs)
              await redis.kill()
              await sleep(shortMs / 2)
              await redis.start()
              await sleep(shortMs)
            }),
        }),
  }
}

const unheard = () => undefined
