import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { startChild } from '../support/adoption/child.ts'
import { consumer, CONSUMER_TIMEOUT_MS } from '../support/adoption/consumer.ts'
import { NODE_24 } from '../support/adoption/nodes.ts'
import { ADOPTION_TIMES } from '../support/adoption/times.ts'
import { withDatabase } from '../../lib/functions-devkit/test/support/database.ts'

let folder: string
beforeAll(async () => void ({ folder } = await consumer()), CONSUMER_TIMEOUT_MS)

describe('work is atomic beside another instance', { timeout: 60_000 * ADOPTION_TIMES }, () => {
  it.each([
    ['of stock Sequelize', 'stock'],
    ['in an application that calls useCLS', 'cls'],
    ['with classes of sequelize-typescript', 'typescript'],
  ])('%s', async (_what, kind) => {
    await withDatabase(
      ours =>
        withDatabase(
          async other => {
            const file = join(folder, 'instances.cjs')
            const child = startChild({ file, args: [kind], env: { OURS_URL: ours.url, OTHER_URL: other.url }, node: NODE_24 })
            try {
              const names = (await child.order('begin')) as string[]
              expect(names.length).toBeGreaterThan(10)
              for (let time = 0; time < ADOPTION_TIMES; time += 1) {
                for (const name of names) {
                  const { expected, found } = (await child.order('run', { name })) as { expected: object; found: object }
                  expect({ name, ...found }).toEqual({ name, ...expected })
                }
              }
              await child.order('close')
            } finally {
              await child.end()
            }
          },
          { empty: true },
        ),
      { empty: true },
    )
  })
})
