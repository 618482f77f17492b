import { isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Why a source file cannot be loaded. */
export interface Mistake {
  /** Seen from the checkout. */
  readonly file: string
  readonly line?: number
  readonly reason: string
}

/**
 * Returns where the mistake is for which a file could not be imported: esbuild knows the place of what does not parse or
 * resolve, the stack that of what threw while it was loaded.
 */
export async function locateMistake(checkout: string, file: string, error: unknown): Promise<Mistake> {
  return (await findByBundling(checkout, file)) ?? findInStack(checkout, file, error)
}

/** Returns a mistake on one line: `packages/api/user/index.ts:12: reason`. */
export function describeMistake({ file, line, reason }: Mistake): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${reason}`
}

async function findByBundling(checkout: string, file: string): Promise<Mistake | undefined> {
  try {
    const { build } = await import('esbuild')
    await build({
      entryPoints: [file],
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
