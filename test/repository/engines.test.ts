import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const ofSequelize = createRequire(createRequire(import.meta.url).resolve('sequelize'))
const semver = ofSequelize('semver') as { subset(one: string, other: string): boolean; satisfies(version: string, range: string): boolean }

const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } }
const { packages } = JSON.parse(textOf('package-lock.json')) as {
  packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>
}

it('every package runs on each Node that package.json allows, so that npm install warns of none', () => {
  const narrower = Object.entries(packages).flatMap(([path, { engines: { node = '*' } = {} }]) => {
    return semver.subset(engines.node, node) ? [] : [`${path || 'package.json'} ${node}`]
  })
  expect(narrower).toEqual([])
})

it('the README names the same Node as package.json', () => {
  const [, least = '', next = ''] = /You need npm and Node (\d+), or (\d+) and later, on Linux or macOS/.exec(textOf('README.md')) ?? []
  expect(engines.node).toBe(`^${least}.0.0 || >=${next}.0.0`)
})
