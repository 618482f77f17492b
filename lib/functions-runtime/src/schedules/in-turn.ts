import { readPlatform } from '../settings/platform.ts'
import type { Main } from '../edge/define.ts'
import { deploymentOf, type Limits, type Schedule } from '../edge/deployment.ts'
import type { FunctionContext, FunctionEvent } from '../edge/event.ts'

export interface InTurnOptions {
  /** `<package>/<function>`: its folder under packages/. */
  readonly name: string
  readonly limits?: Limits
  readonly schedules?: readonly Schedule[]
}

/**
 * Makes a `main` that calls several functions one after the other, so that one trigger does the work of several: a
 * namespace takes three. Each gets the event and an equal share of the time that is left; one that fails keeps none of
 * the others from being called. It answers every result by name, with an `error` when one failed.
 */
export function inTurn(functions: Readonly<Record<string, Main>>, { name, limits, schedules }: InTurnOptions): Main {
  const all = Object.entries(functions)

  async function main(event: FunctionEvent, context?: FunctionContext): Promise<Record<string, unknown>> {
    const results: Record<string, Record<string, unknown>> = {}
    for (const [index, [name, one]] of all.entries()) results[name] = await one(event, withShare(context, all.length - index))
    const failed = Object.keys(results).filter(name => 'error' in (results[name] ?? {}))
    return failed.length === 0 ? results : { ...results, error: { code: 'function-failed', functions: failed } }
  }

  main.variables = [...new Set(all.flatMap(([, one]) => one.variables))].sort()
  main.deployment = deploymentOf({ name, web: false, limits, schedules, variables: all.flatMap(([, one]) => one.deployment.variables) })
  main.documentation = Object.assign({}, ...all.map(([, one]) => one.documentation)) as Main['documentation']
  main.settingIssues = (environment?: Parameters<Main['settingIssues']>[0]) => all.flatMap(([, one]) => one.settingIssues(environment))
  const few = all.flatMap(([, { fewConnections }]) => fewConnections ?? [])
  main.fewConnections = few.length < all.length ? undefined : Math.max(...few)
  main.openBecause = undefined
  // Each has a pool of its own; the host shows one.
  main.pool = () => all.map(([, one]) => one.pool()).find(pool => pool !== undefined)
  main.hostedBy = (hosting: Parameters<Main['hostedBy']>[0]) => all.forEach(([, one]) => one.hostedBy(hosting))
  main.shutdown = async () => void (await Promise.all(all.map(([, one]) => one.shutdown())))
  return main
}

function withShare(context: FunctionContext | undefined, waiting: number): FunctionContext | undefined {
  const leftMs = context?.getRemainingTimeInMillis?.() ?? (context?.deadline ?? readPlatform().deadlineAt ?? Number.NaN) - Date.now()
  if (!Number.isFinite(leftMs)) return context
  const endsAt = Date.now() + leftMs / waiting
  return { ...context, getRemainingTimeInMillis: () => endsAt - Date.now() }
}
