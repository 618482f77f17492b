import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { transform } from 'esbuild'
import { type BundleOutput } from './metafile.ts'
import { isStandIn, packageOf } from './packages.ts'

// Set by the platform, the runtime or the container: project.yml passes none of them.
const ALWAYS_THERE = /^(__OW_|NODE_|LC_)|^(PATH|HOME|HOSTNAME|LANG|PWD|TMPDIR|TZ|USER)$/
const LOADERS: Readonly<Record<string, 'ts' | 'tsx' | 'js'>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
}

/** Returns the variables that our own code in a bundle reads by name, past the settings of the function; sorted. */
export async function environmentReads({ inputs }: BundleOutput, checkout: string): Promise<string[]> {
  // Stand-ins read what the packages read that they stand for.
  const ours = Object.keys(inputs).filter(path => inputs[path]?.bytesInOutput && packageOf(path) === undefined && !isStandIn(path))
  const reads = await Promise.all(ours.map(path => readsOfFile(join(checkout, path))))
  return [...new Set(reads.flat())].sort()
}

async function readsOfFile(file: string): Promise<string[]> {
  const loader = LOADERS[extname(file)]
  if (loader === undefined || !existsSync(file)) return []
  const source = readFileSync(file, 'utf8')
  if (!source.includes('env')) return []
  // One form for `a["B"]` and `a.B`, and no comments.
  const { code } = await transform(source, { loader, minifySyntax: true, legalComments: 'none', target: 'node24', logLevel: 'silent' })
  return readsOf(code)
}

/** Returns the variables that a normalised source reads by name from the environment, through whatever alias. */
export function readsOf(code: string): string[] {
  const named = (patterns: readonly RegExp[]) => patterns.flatMap(pattern => [...code.matchAll(pattern)].map(([, name = '']) => name))
  const processes = oneOf([
    ...['process', 'globalThis.process', 'global.process'],
    ...named([/\bimport (?:\* as )?(\w+)(?:, \{[^}]*\})? from "(?:node:)?process"/g, /\b(\w+) = require\("(?:node:)?process"\)/g]),
  ])
  const ofProcess = `(?:${processes}|require\\("(?:node:)?process"\\)) *\\??\\. *env\\b`
  const imported = [...code.matchAll(/\bimport (?:\w+, )?\{([^}]*)\} from "(?:node:)?process"/g)].flatMap(([, list = '']) => namesIn(list, / as /))
  const taken = [...code.matchAll(new RegExp(`\\{([^{}]*)\\} = (?:${processes}|require\\("(?:node:)?process"\\))(?! *[.?\\w])`, 'g'))].flatMap(
    ([, list = '']) => namesIn(list, /: */),
  )
  const aliases = [
    ...[...imported, ...taken].flatMap(({ name, local }) => (name === 'env' ? [local] : [])),
    ...named([new RegExp(`\\b(\\w+) = ${ofProcess}(?! *[.?[\\w])`, 'g')]),
  ]
  const environment = `(?:${[ofProcess, ...aliases.map(alias => `(?<![.\\w$])${alias}`)].join('|')})`
  // A write to a variable is no read.
  const members = named([new RegExp(`${environment} *\\??\\. *(\\w+)\\b(?! *=[^=])`, 'g')])
  const destructured = [...code.matchAll(new RegExp(`\\{([^{}]*)\\} = ${environment}(?! *[.?[\\w])`, 'g'))].flatMap(([, list = '']) =>
    namesIn(list, /: */).map(({ name }) => name),
  )
  return [...new Set([...members, ...destructured])].filter(name => /^[A-Z]\w*$/.test(name) && !ALWAYS_THERE.test(name)).sort()
}

function namesIn(list: string, separator: RegExp): { readonly name: string; readonly local: string }[] {
  return list.split(',').map(one => {
    const [name = '', local = name] = one.replace(/=.*$/s, '').trim().split(separator)
    return { name: name.trim(), local: local.trim() }
  })
}

function oneOf(names: readonly string[]): string {
  return `(?<![.\\w$])(?:${names.map(name => name.replaceAll('.', '\\.')).join('|')})`
}
