import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, '..')
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8')
const examples = [...readme.matchAll(/^## (.*)$\n+```ts\n([\s\S]*?)^```/gm)].map(([, title = '', code = '']) => ({ title, code }))

describe('the README', () => {
  it('has an example under each heading', () => {
    expect(examples.map(({ title }) => title)).toEqual([...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title))
    expect(examples).toHaveLength(4)
  })

  it.each(examples)('prints what it says: $title', ({ code }) => {
    const printed = code.split('\n').flatMap(line => /console\.log.* \/\/ (.*)$/.exec(line)?.[1] ?? [])
    const folder = mkdtempSync(join(tmpdir(), 'readme-'))
    try {
      writeFileSync(join(folder, 'example.mts'), code.replaceAll("'./src/", `'${FOLDER}/src/`))
      const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'example.mts')], { encoding: 'utf8', timeout: 20_000 })
      expect({ stdout, stderr }).toEqual({ stdout: `${printed.join('\n')}\n`, stderr: '' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
