import { describe } from 'vitest'
import { networkProvocations } from './isolated-network.ts'
import { testProvocations } from './provocation.ts'

describe.concurrent('among the errors of a broken network', () => {
  testProvocations(networkProvocations, () => undefined)
})
