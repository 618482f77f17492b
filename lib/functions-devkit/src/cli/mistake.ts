import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Why a source file cannot be loaded. */
export interface Mistake {
  /** Seen from the checkout. */
  readonly file: string
  readonly line?: number
  readonly reason: string
  /** The function works, and is not made by defineFunction. */
  readonly isForeign?: boolean
}

const APPLICATION = 'lib/app/project.ts'

/**
 * Returns the mistake for which a file could not be imported, with its place. Node knows the importer of what does not
 * resolve, esbuild the place of what does not parse, the stack that of an error thrown while loading.
 */
export async function locateMistake(checkout: string, file: string, error: unknown): Promise<Mistake> {
  // The application is imported by its path, so that it is no part of the program's bundle.
  const files = [file, APPLICATION].filter(entry => existsSync(resolve(checkout, entry)))
  return findUnresolved(checkout, error) ?? (await findByBundling(checkout, files)) ?? findInStack(checkout, file, error)
}

/** Returns a mistake on one line: `packages/api/user/index.ts:12: reason`. */
export function describeMistake({ file, line, reason }: Mistake): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${reason}`
}

async function findByBundling(checkout: string, files: readonly string[]): Promise<Mistake | undefined> {
  try {
    const { build } = await import('esbuild')
    await build({
      entryPoints: [...files],
      outdir: 'never-written',
      absWorkingDir: checkout,
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      packages: 'external',
      logLevel: 'silent',
    })
    return undefined
  } catch (error) {
    const [first] =
      (error as { readonly errors?: readonly { readonly text: string; readonly location: { file: string; line: number } | null }[] }).errors ?? []
    if (first === undefined || first.location === null) return undefined
    return { file: first.location.file, line: first.location.line, reason: first.text }
  }
}

const NOT_FOUND = /^Cannot find (package|module) '(.+?)' imported from (.+)$/m
// Of require: a module without a path is one of a package.
const NOT_REQUIRED = /^Cannot find module '((?:@[^/']+\/)?[^/'.][^/']*)[^']*'\nRequire stack:\n- (.+)$/m

// esbuild leaves packages alone, and finds files without their extension; Node does not.
function findUnresolved(checkout: string, error: unknown): Mistake | undefined {
  if (!(error instanceof Error)) return undefined
  const [, missingPackage, requirer] = NOT_REQUIRED.exec(error.message) ?? []
  const imported = NOT_FOUND.exec(error.message) ?? []
  const [, kind, missing = '', importer = ''] = missingPackage === undefined ? imported : ['', 'package', missingPackage, requirer]
  if (kind === undefined) return undefined
  const quoted = kind === 'package' ? missing : basename(missing)
  const at = linesOf(importer).findIndex(line => line.includes(quoted))
  return {
    file: relative(checkout, importer),
    ...(at === -1 ? {} : { line: at + 1 }),
    reason:
      kind === 'package'
        ? `the package ${missing} is not installed: npm install${optionsFor(checkout, missing)}`
        : `there is no file ${relative(checkout, resolve(dirname(importer), missing))}${extname(missing) === '' ? ': write the import with its extension, .ts' : ''}`,
  }
}

// `npm install --omit=dev` leaves development packages out.
function optionsFor(checkout: string, name: string): string {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(linesOf(join(checkout, 'package.json')).join('\n') || '{}') as Partial<
    Record<'dependencies' | 'devDependencies', Record<string, string>>
  >
  if (Object.hasOwn(dependencies, name)) return ''
  return Object.hasOwn(devDependencies, name) ? ' --include=dev' : ` ${name}`
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

function findInStack(checkout: string, file: string, error: unknown): Mistake {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: '' }
  const reason = message.split('\n')[0] ?? ''
  for (const [, place = '', line = ''] of (stack ?? '').matchAll(/(file:\/\/[^\s():]+|\/[^\s():]+):(\d+)/g)) {
    const path = relative(checkout, place.startsWith('file:') ? fileURLToPath(place) : place)
    if (path.startsWith('..') || isAbsolute(path) || path.includes('node_modules')) continue
    return { file: path, line: Number(line), reason }
  }
  return { file: relative(checkout, file), reason }
}
