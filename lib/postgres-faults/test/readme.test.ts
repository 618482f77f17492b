import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { startProxy } from '../src/proxy/proxy.ts'

const FOLDER = join(import.meta.dirname, '..')
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8')

it('the example of the README does what its comments say', () => {
  const [, example = ''] = /^```ts\n(.*?)^```/ms.exec(readme) ?? []
  const program = example
    .replace(/^const server = .*$/m, `const server = ${JSON.stringify(inject('postgres'))}`)
    .replace("'pg'", `'${import.meta.resolve('pg')}'`)
    .replaceAll("'./src/", `'${FOLDER}/src/`)
  const folder = mkdtempSync(join(tmpdir(), 'readme-'))
  try {
    writeFileSync(join(folder, 'example.mts'), program)
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'example.mts')], { encoding: 'utf8', timeout: 20_000 })
    expect({ stdout, stderr }).toEqual({ stdout: 'ECONNRESET\n1\n', stderr: '' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('the README names everything that a proxy has', async () => {
  const proxy = await startProxy({ target: inject('postgres') })
  await proxy.stop()
  expect(Object.keys(proxy).filter(name => !new RegExp(`\`${name}(\\(\\w*\\))?\``).test(readme))).toEqual([])
})
