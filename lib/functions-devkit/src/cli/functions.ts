import { resolve } from 'node:path'
import type { ApiMain } from '../../../functions-runtime/src/api/define-api.ts'
import type { Main } from '../../../functions-runtime/src/edge/define.ts'
import { locateMistake, type Mistake } from './mistake.ts'

/** What is read of a function before it is deployed. */
export type CheckedMain = Pick<Main, 'variables' | 'settingIssues' | 'openBecause' | 'deployment' | 'documentation'> &
  Partial<Pick<ApiMain, 'operations' | 'scopes' | 'contract'>>

/** A function's source, loaded; or the mistake for which it cannot be. */
export type LoadedFunction =
  | { readonly name: string; readonly main: CheckedMain; readonly mistake?: never }
  | { readonly name: string; readonly main?: never; readonly mistake: Mistake }

/** Loads the source of a function, `package/function`. A mistake in it is a value, not an error. */
export async function loadFunction(checkout: string, name: string): Promise<LoadedFunction> {
  const file = resolve(checkout, 'packages', name, 'index.ts')
  try {
    const { main } = (await import(file)) as { readonly main?: Partial<CheckedMain> }
    if (main?.variables !== undefined && main.settingIssues !== undefined) return { name, main: main as CheckedMain }
    return { name, mistake: { file: `packages/${name}/index.ts`, reason: 'exports no main that defineFunction made', isForeign: main !== undefined } }
  } catch (error) {
    return { name, mistake: await locateMistake(checkout, file, error) }
  }
}
