import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { startContainer, stopContainers, type Container } from '../../../lib/functions-devkit/test/support/platform/container.ts'
import { startProxyInChild } from '../../../lib/postgres-faults/src/proxy/proxy-in-child.ts'
import { webhookSecret } from '../../../lib/functions-devkit/test/support/functions.ts'
import { packBench, packOurs } from '../fleet/bundle.ts'
import { openStage, USABLE, type Route } from '../fleet/stage.ts'
import { plainTable, type Line } from '../fleet/table.ts'
import { buildFunctions } from '../build-functions.ts'
import { sendFor, sendTo, type Load } from './load.ts'
import { command } from './options.ts'

// npm run bench:webhooks: events per second of one container and of twenty, beside a handler written by hand on bare pg.

const { sizes, delaysMs, warmUpEvents, measuredMs, rounds, crowdedAt } = command.readOrExit()
buildFunctions()

const stage = await openStage()
try {
  await using route = await stage.openRoute('direct')
  console.log(
    `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, PostgreSQL ${stage.version}, ${USABLE} connections`,
  )
  const ways = {
    ours: { zip: await packOurs('api/webhook'), environment: ourEnvironment },
    'by hand': { zip: await packBench('by-hand', join(import.meta.dirname, 'functions')), environment: rivalEnvironment },
  }
  const lines: Line[] = []
  for (const delayMs of delaysMs) {
    const target = { host: route.address.host, port: route.address.port }
    const proxy = delayMs === 0 ? undefined : await startProxyInChild({ target, delayMs })
    const address = { ...route.address, ...(proxy === undefined ? {} : { host: proxy.host, port: proxy.port }) }
    for (const size of sizes) {
      const loads: Record<keyof typeof ways, Load[]> = { ours: [], 'by hand': [] }
      for (let round = 0; round < rounds; round += 1) {
        for (const name of ['ours', 'by hand'] as const) {
          const { zip, environment } = ways[name]
          const start = () => startContainer({ zip, runtime: 'digitalocean', environment: environment(address), limits: { timeout: 10_000 } })
          const containers: Container[] = []
          for (let n = 0; n < size; n += 1) containers.push(await start())
          // Until the code is compiled. To each container as many: in the same time the slower of two would stay the colder one.
          await sendTo(containers, warmUpEvents)
          loads[name].push(await sendFor(measuredMs, containers))
          await Promise.all(containers.map(container => container.stop()))
          await route.disconnectAll()
        }
      }
      const [ours, rival] = [middle(loads.ours), middle(loads['by hand'])]
      const ratio = Math.round((ours.perSecond / rival.perSecond) * 100) / 100
      for (const [way, load] of Object.entries({ ours, 'by hand': rival })) {
        lines.push({ way, containers: size, 'ms each way': delayMs, ...load, ratio: way === 'ours' ? ratio : '-' })
      }
      console.error(`${size} containers, ${delayMs} ms each way: done`)
    }
    await proxy?.stop()
  }
  console.log(plainTable(lines))
} finally {
  await stopContainers()
  await stage[Symbol.asyncDispose]()
}

function ourEnvironment({ host, port, database, user, password }: Route['address']): Record<string, string> {
  return {
    DB_HOST: host,
    DB_PORT: String(port),
    DB_NAME: database,
    DB_USER: user,
    DB_PASSWORD: password,
    DB_SSLMODE: 'disable',
    LOG_LEVEL: 'error',
    // Twenty of twenty-two would be crowded: each call would connect anew, to make room for containers that do not come.
    DB_CROWDED_AT: crowdedAt,
    WEBHOOK_SECRET_DEMO: webhookSecret,
  }
}

function rivalEnvironment({ host, port, database, user, password }: Route['address']): Record<string, string> {
  return { DATABASE_URL: `postgresql://${user}:${password}@${host}:${port}/${database}`, WEBHOOK_SECRET_DEMO: webhookSecret }
}

/** The round with the median throughput. */
function middle(loads: readonly Load[]): Load {
  const sorted = [...loads].sort((one, other) => one.perSecond - other.perSecond)
  const found = sorted[Math.floor(sorted.length / 2)]
  if (found === undefined) throw new Error('there was no round')
  return found
}
