import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readFunction } from '../../src/cli/doctl/deployed.ts'
import { findDoctl } from '../../src/cli/doctl/doctl.ts'

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

test('a doctl that does not end is stopped at its time limit', async () => {
  // A child of doctl keeps its output open.
  write('sleep 2 & echo begun; wait')
  const doctl = findDoctl(folder, { longestMs: () => 300 })
  await expect(doctl('serverless', 'triggers', 'list')).rejects.toMatchObject({
    name: 'DoctlError',
    message: expect.stringMatching(/^doctl serverless triggers list has not ended within /) as string,
  })
})

test('arguments reach doctl unchanged', async () => {
  write('for word in "$@"; do printf "%s\\n" "$word"; done')
  const words = ['serverless', 'functions', 'get', 'a b', '$HOME', '`id`', '"', "'", ';', '']
  expect((await findDoctl(folder)(...words)).stdout).toBe(words.map(word => `${word}\n`).join(''))
})

test('a doctl that cannot be started is an error in words', async () => {
  writeFileSync(join(folder, 'doctl'), '#!/bin/sh\n', { mode: 0o644 })
  vi.stubEnv('PATH', folder)
  const call = findDoctl(folder)('serverless', 'status')
  await expect(call).rejects.toMatchObject({ name: 'DoctlError', message: expect.stringMatching(/^doctl cannot be started \(EACCES\)/) as string })
})

test.each(['', '{"A":', '[]', '{"A":1}'])('variables that doctl saved in an unknown form are an error in words: %s', async text => {
  write(`case "$*" in *--save-env-json*) printf '%s' '${text}' > "$6" ;; *) echo '{"exec":{}}' ;; esac`)
  await expect(readFunction(findDoctl(folder), 'api/user', folder)).rejects.toMatchObject({
    name: 'DoctlError',
    message: expect.stringMatching(/^doctl serverless functions get api\/user .*unknown form/) as string,
  })
})
