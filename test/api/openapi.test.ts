import { createConfig, lintFromString } from '@redocly/openapi-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../packages/api/user/index.ts'
import { api, withApi } from '../support/api.ts'

const lint = async (document: unknown) => {
  const config = await createConfig({ extends: ['recommended-strict'] })
  const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config })
  return found.map(({ ruleId, message }) => `${ruleId}: ${message}`)
}

describe('the contract', () => {
  let contract: Record<string, unknown>
  beforeAll(() =>
    withApi(async () => {
      contract = (await api('GET /openapi.json')).body
    }),
  )

  it('is what the tools read of the function', async () => {
    expect(contract).toEqual(JSON.parse(JSON.stringify(await main.contract())))
  })

  it('gives a linter nothing to complain of', async () => {
    expect(await lint(contract)).toEqual([])
  })

  it('would be complained of without a summary, with a reference to nothing, or with one name for two operations', async () => {
    const broken = structuredClone(contract) as unknown as { paths: Record<string, Record<string, Record<string, unknown>>> }
    Object.assign(broken.paths['/']?.get ?? {}, { summary: undefined, operationId: 'createUser', requestBody: { $ref: '#/nowhere' } })
    const rules = (await lint(broken)).map(line => line.split(':')[0])
    expect(rules).toEqual(expect.arrayContaining(['operation-summary', 'operation-operationId-unique', 'no-unresolved-refs']))
  })
})
