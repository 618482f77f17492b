import { globSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import type { ApiMain } from '../../../functions-runtime/src/api/define-api.ts'
import { loadFunction, type CheckedMain } from './functions.ts'
import { describeMistake } from './mistake.ts'

/** A function that `defineApi` made. */
export interface Api {
  /** `package/function`. */
  readonly name: string
  readonly main: Pick<ApiMain, 'operations' | 'scopes' | 'contract'>
}

/** The APIs of an application. */
export interface Apis {
  readonly all: readonly Api[]
  /** What a key may be for, in any of them, sorted. */
  readonly scopes: readonly string[]
  /** A line for each function that cannot be loaded, with its mistake. */
  readonly mistakes: readonly string[]
}

/** Loads the functions of a checkout, found by their path, and returns those that are APIs. */
export async function loadApis(checkout: string): Promise<Apis> {
  const files = globSync('packages/*/*/index.ts', { cwd: checkout }).sort()
  const loaded = await Promise.all(files.map(file => loadFunction(checkout, dirname(relative('packages', file)).replaceAll('\\', '/'))))
  const all = loaded.flatMap(({ name, main }) => (main !== undefined && isApi(main) ? [{ name, main }] : []))
  return {
    all,
    scopes: scopesOf(all.map(({ main }) => main)),
    mistakes: loaded.flatMap(({ name, mistake }) => (mistake === undefined ? [] : [`${name} cannot be loaded: ${describeMistake(mistake)}`])),
  }
}

/** Returns every scope that an operation of these functions asks for, sorted. */
export function scopesOf(mains: readonly (CheckedMain | Api['main'])[]): string[] {
  return [...new Set(mains.flatMap(main => (isApi(main) ? main.scopes : [])))].sort()
}

function isApi<Given extends CheckedMain | Api['main']>(main: Given): main is Given & Api['main'] {
  return 'contract' in main && main.contract !== undefined
}
