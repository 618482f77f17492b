import { execFile } from 'node:child_process'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { consumer, CONSUMER_TIMEOUT_MS, type Consumer } from '../support/adoption/consumer.ts'
import { NODE_20, NODE_24 } from '../support/adoption/nodes.ts'
import { withDatabase } from '../../lib/functions-devkit/test/support/database.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

let folder: string
let packages: Consumer['packages']
beforeAll(async () => {
  ;({ folder, packages } = await consumer())
}, CONSUMER_TIMEOUT_MS)

describe('a consumer in strict TypeScript', { timeout: 120_000 }, () => {
  const compile = async (...args: string[]) => {
    const { stdout } = await run(NODE_24, [TSC, ...args], { cwd: join(folder, 'typed') }).catch((error: { stdout: string }) => error)
    return stdout
  }

  it('compiles and runs, with both loaders in one process', async () => {
    const cwd = join(folder, 'typed')
    expect(await compile()).toBe('')
    for (const node of [NODE_20, NODE_24]) {
      if (node === undefined) {
        console.error('SKIPPED: the compiled consumer under Node 20, for the node on PATH is another')
        continue
      }
      for (const program of ['program', 'inbox', 'functions']) {
        await withDatabase(
          async ({ url }) => {
            const { stdout, stderr } = await run(node, [`out/${program}.mjs`], { cwd, env: { ...process.env, DATABASE_URL: url } })
            expect({ program, stdout: stdout.split('\n').at(-2), stderr }).toEqual({ program, stdout: 'all held', stderr: '' })
          },
          { empty: true },
        )
      }
    }
  })

  it('compiles without types of pg if it skips the check of libraries', async () => {
    expect(await compile('-p', 'without-pg-types.json')).toBe('')
    expect(await compile('-p', 'without-pg-types.json', '--skipLibCheck', 'false')).toMatch(/Could not find a declaration file for module 'pg'/)
  })

  it('compiles with a check of libraries', async () => {
    expect(await compile('-p', 'library-checks.json')).toBe('')
  })
})

describe('a tarball', () => {
  it('contains no path of the machine and no source map', async () => {
    for (const root of packages) {
      const files = (await readdir(root, { recursive: true })).filter(name => !name.startsWith('node_modules'))
      expect(files).toContain('LICENSE')
      expect(files.filter(name => name.endsWith('.map') || /^(src|test)\b/.test(name))).toEqual([])
      for (const name of files) {
        const path = join(root, name)
        if ((await stat(path)).isDirectory()) continue
        const text = await readFile(path, 'utf8')
        expect(text).not.toContain(ROOT)
        expect(text).not.toContain('sourceMappingURL')
      }
    }
  })

  it('names no setting of the functions in its errors', async () => {
    for (const name of ['resilient-sequelize', 'webhook-inbox']) {
      const root = join(folder, 'node_modules', name, 'dist')
      for (const file of (await readdir(root, { recursive: true })).filter(one => one.endsWith('.js'))) {
        expect([file, (await readFile(join(root, file), 'utf8')).match(/\bDB_[A-Z_]+/)?.[0]]).toEqual([file, undefined])
      }
    }
  })

  it('needs nothing but its two peers', async () => {
    const manifest = JSON.parse(await readFile(join(folder, 'node_modules/resilient-sequelize/package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest).not.toHaveProperty('dependencies')
    expect(manifest['peerDependencies']).toEqual({ '@types/pg': '^8.0.0', pg: '>=8.23 <9', sequelize: '>=6.37.8 <7' })
    expect(manifest['peerDependenciesMeta']).toEqual({ '@types/pg': { optional: true } })
  })
})
