import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareUpgrade } from '../../src/upgrade/prepare.ts'
import { openSource, repositoryIn } from '../../src/upgrade/source.ts'
import { upgradeStage, type UpgradeStage } from '../support/upgrade.ts'

let stage: UpgradeStage
let server: Server
let origin: string
let archives: Record<string, Buffer>
let asked: string[]

beforeEach(async () => {
  stage = upgradeStage()
  archives = {}
  asked = []
  server = createServer(({ url = '' }, response) => {
    asked.push(url)
    // As GitHub, which sends the archive from another host.
    if (url.startsWith('/owner/')) response.writeHead(archives[url] ? 302 : 404, { location: `/moved${url}` }).end()
    else if (url === '/broken.zip') response.writeHead(500).end()
    else response.end(archives[url.replace('/moved', '')])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  stage[Symbol.dispose]()
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

function packed(folder: string): Buffer {
  return execFileSync('tar', ['-C', dirname(folder), '-czf', '-', basename(folder)])
}

function serve(tag: string, folder: string): void {
  archives[`/owner/name/archive/refs/tags/${tag}.tar.gz`] = packed(folder)
}

describe('a repository', () => {
  it.each([
    ['2.0.0', '2.0.0'],
    ['2.0.0', 'v2.0.0'],
    ['v2.0.0', '2.0.0'],
  ])('has version %s under the tag %s', async (version, tag) => {
    serve(tag, stage.next)
    for (const source of [`${origin}/owner/name`, `git+${origin}/owner/name.git`]) {
      expect((await openSource({ source, version })).get('README.md')?.content.toString()).toBe('one\ntwo\nthree\nfour\nfive\n')
    }
  })

  it('gives the texts of the recorded version that only the framework has', async () => {
    const path = 'lib/runtime/src/main.ts'
    serve('v1.0.0', stage.application)
    stage.edit({ [path]: 'export const main = 2\n\n\nexport const last = 1\n' })
    stage.release({ [path]: 'export const main = 1\n\n\nexport const last = 3\n' })
    serve('v2.0.0', stage.next)
    const options = { folder: stage.application, from: '2.0.0', source: `${origin}/owner/name`, base: undefined }
    const { plan } = await prepareUpgrade(options)
    expect(plan.get(path)).toMatchObject({ reason: 'an edit in a file of the framework, merged: check it' })
    delete archives['/owner/name/archive/refs/tags/v1.0.0.tar.gz']
    expect((await prepareUpgrade(options)).plan.get(path)).toMatchObject({ reason: expect.stringContaining('is unknown') as string })
  })

  it('without the version names what it asked for', async () => {
    await expect(openSource({ source: `${origin}/owner/name`, version: '9.9.9' })).rejects.toThrow(
      `There is no ${origin}/owner/name/archive/refs/tags/9.9.9.tar.gz and no ${origin}/owner/name/archive/refs/tags/v9.9.9.tar.gz`,
    )
    await expect(openSource({ source: `${origin}/owner/name`, version: undefined })).rejects.toThrow('name the version, such as --from 1.2.0')
  })

  it.each([
    ['{ "repository": "owner/name" }', 'https://github.com/owner/name'],
    ['{ "repository": { "type": "git", "url": "git+https://github.com/owner/name.git" } }', 'git+https://github.com/owner/name.git'],
    ['{}', undefined],
    [undefined, undefined],
  ])('is what package.json names: %s', (manifest, url) => expect(repositoryIn(manifest)).toBe(url))

  it('of the record comes before the one of package.json', async () => {
    serve('2.0.0', stage.next)
    const record = JSON.parse(readFileSync(join(stage.application, 'lib/framework.json'), 'utf8')) as object
    stage.edit({ 'lib/framework.json': JSON.stringify({ ...record, repository: `${origin}/owner/name` }) })
    stage.edit({ 'package.json': JSON.stringify({ repository: 'https://127.0.0.1:1/mine/own' }) })
    const { source } = await prepareUpgrade({ folder: stage.application, from: '2.0.0', source: undefined, base: undefined })
    expect(source).toBe(`${origin}/owner/name`)
  })
})

describe('a source', () => {
  it('is the URL of an archive', async () => {
    archives['/any/name.tar.gz'] = packed(stage.next)
    expect((await openSource({ source: `${origin}/any/name.tar.gz`, version: undefined })).has('README.md')).toBe(true)
    expect(asked).toEqual(['/any/name.tar.gz'])
  })

  it('is an archive on this machine', async () => {
    const file = join(stage.root, 'download')
    writeFileSync(file, packed(stage.next))
    expect((await openSource({ source: file, version: undefined })).has('README.md')).toBe(true)
  })

  it.each([
    ['http://example.com/a.zip', 'is not encrypted: give its https URL'],
    ['/never/there', 'There is no /never/there: --source takes a folder, a .tar.gz, a .zip, or an https URL'],
  ])('that cannot be used is named: %s', async (source, message) => {
    await expect(openSource({ source, version: '1.0.0' })).rejects.toThrow(message)
  })

  it('that is not there is named', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/a.zip`
    other.close()
    await once(other, 'close')
    await expect(openSource({ source: url, version: undefined })).rejects.toThrow(`${url} cannot be reached (ECONNREFUSED): download the archive`)
  })

  it('that fails is named with its status', async () => {
    await expect(openSource({ source: `${origin}/broken.zip`, version: undefined })).rejects.toThrow('/broken.zip answers 500')
  })

  it('that holds another thing is named', async () => {
    const file = join(stage.root, 'page.html')
    writeFileSync(file, '<html>')
    await expect(openSource({ source: file, version: undefined })).rejects.toThrow(`${file} cannot be read. It is no archive`)
  })
})
