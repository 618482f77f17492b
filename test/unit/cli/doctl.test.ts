import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findDoctl } from '../../../lib/cli/doctl/doctl.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctl-'))
  vi.stubEnv('PATH', [folder, process.env.PATH].join(delimiter))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const write = (script: string) => writeFileSync(join(folder, 'doctl'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

test('nobody waits for ever for a doctl that does not end, or for what it has begun', async () => {
  // What a program begins keeps its output open.
  write('sleep 2 & echo begun; wait')
  const doctl = findDoctl(folder, { longestMs: () => 300 })
  await expect(doctl('serverless', 'triggers', 'list')).rejects.toMatchObject({
    name: 'DoctlError',
    message: expect.stringMatching(/^doctl serverless triggers list has not ended within /) as string,
  })
})

test('arguments reach doctl as they are, whatever a shell would make of them', async () => {
  write('for word in "$@"; do printf "%s\\n" "$word"; done')
  const words = ['serverless', 'functions', 'get', 'a b', '$HOME', '`id`', '"', "'", ';', '']
  expect((await findDoctl(folder)(...words)).stdout).toBe(words.map(word => `${word}\n`).join(''))
})
