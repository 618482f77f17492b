import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { isSampleSecret } from '../../lib/webhook-inbox/src/verify/sample-secrets.ts'

describe('samples of secrets', () => {
  it.each(['README.md', '.env.example'])('in %s would be refused', file => {
    const text = readFileSync(join(REPOSITORY, file), 'utf8')
    const samples = [...text.matchAll(/\bwhsec_[A-Za-z0-9+/]{8,}=*|WEBHOOK_SECRET_\w+=(?!none\b)["']?([^\s"'`]+)/g)].map(
      ([all, value]) => value ?? all,
    )
    expect(samples.filter(sample => !isSampleSecret(sample))).toEqual([])
  })
})
