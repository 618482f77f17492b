import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { profiles } from '../../../../resilient-sequelize/src/pool/profile.ts'
import { type Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { functionsOf, parseProject, placeholderEnvironment } from '../../../../doctl-project-schema/src/index.ts'
import { readProject, type LocalProject } from '../project.ts'
import { ROUND_EVERY_MS } from './health-round.ts'
import { sharePool } from './pool-shares.ts'

export interface HostedProject extends Pick<LocalProject, 'functions' | 'schedules'> {
  /**
   * What project.yml passes to a function, with its share of the connections.
   * @throws Error when there are fewer connections than functions.
   */
  environmentOf(qualifiedName: string): Environment
}

/**
 * Reads project.yml for one long-lived process: each function gets the variables that it is deployed with, out of the
 * environment, with the server profile and its share of that profile's connections. `fewOf` returns the most connections that a
 * function needs, if its definition sets that; called on the first call of `environmentOf`.
 * @throws Error when the environment asks for what cannot be had here.
 */
export function readHostedProject(
  text: string,
  environment: Environment,
  { fewOf }: { fewOf: (qualifiedName: string) => number | undefined },
): HostedProject {
  const { functions, schedules } = readProject({ text, local: {}, environment })
  const names = Object.keys(placeholderEnvironment(text))
  const values = Object.fromEntries(names.map(name => [name, environment[name] || 'none']))
  const passed = new Map(functionsOf(parseProject(text, values)).map(one => [one.qualifiedName, one.environment]))

  const isSet = (value: string | undefined) => value !== undefined && !['', 'none'].includes(value.trim().toLowerCase())
  if (isSet(environment.DB_PROFILE) && environment.DB_PROFILE?.trim().toLowerCase() !== 'server') {
    throw new Error('DB_PROFILE is for functions here: npm run serve is one long-lived process, which takes server, or none')
  }
  // What is no number is left as it is: the functions' own settings say what is wrong with it.
  const numberOf = (name: string, otherwise: number) => {
    const number = Number(environment[name])
    return isSet(environment[name]) && Number.isInteger(number) ? number : otherwise
  }
  const pooled = [...passed].filter(([, variables]) => 'DB_POOL_MAX' in variables).map(([name]) => name)
  const max = numberOf('DB_POOL_MAX', profiles.server.pool.max)
  const min = numberOf('DB_POOL_MIN', Math.min(profiles.server.pool.min, max))
  let shares: ReturnType<typeof sharePool> | undefined

  return {
    functions,
    schedules,
    environmentOf(name) {
      const own = { ...passed.get(name) }
      // The schedule that readiness goes by is this process's own.
      if ('HEALTH_EVERY_SECONDS' in own) own.HEALTH_EVERY_SECONDS = String(ROUND_EVERY_MS / 1000)
      shares ??= sharePool(new Map(pooled.map(one => [one, fewOf(one)])), { max, min })
      const share = shares.get(name)
      if (share === undefined) return own
      const sizes = { DB_POOL_MAX: String(share.max), DB_POOL_MIN: String(share.min) }
      const usable = Object.entries(sizes).filter(([variable]) => !isSet(own[variable]) || /^\s*\d+\s*$/.test(own[variable] ?? ''))
      return { ...own, DB_PROFILE: 'server', ...Object.fromEntries(usable) }
    },
  }
}

/** Functions whose bundle is missing: they are built before this runs, never by it. */
export function notBuilt(checkout: string, functions: HostedProject['functions']): string[] {
  return functions.map(one => one.qualifiedName).filter(name => !existsSync(join(checkout, 'packages', name, 'dist', 'index.js')))
}
