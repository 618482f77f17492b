import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { dataFolderOf } from './data-folder.ts'
import { functionsDatabaseUrl } from './database.ts'
import { readLocalFile } from './local-environment.ts'
import { localSettings } from './local-settings.ts'
import { lockHolder } from './lock.ts'
import { readProject } from './project.ts'
import { localRedisUrl } from './redis/local-redis.ts'
import { keepSecrets, type LocalSecrets } from './secrets.ts'

/** The `npm start` that runs on this checkout, as its data folder has it. */
export interface RunningServer {
  /** Without a slash at its end. */
  readonly address: string
  readonly secrets: LocalSecrets
  /**
   * Returns the settings that its functions have together: none of the shell and of `.env`.
   * @throws NotRunningError while the database is still starting
   */
  readonly settings: () => Readonly<Record<string, string>>
}

/** No server runs, or it cannot be used yet. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError'
}

/** Returns the server that is running; undefined when none is. */
export function findRunningServer(): RunningServer | undefined {
  const { folder } = dataFolderOf(APPLICATION_FOLDER, process.env.LOCAL_DATA_FOLDER)
  const { address, ports } = lockHolder({ folder }) ?? {}
  if (address === undefined) return undefined
  const secrets = keepSecrets(folder)
  return {
    address,
    secrets,
    settings() {
      if (ports === undefined) throw new NotRunningError('npm start is still starting its database: try again once it has printed its address')
      const { databasePassword, webhookSecret } = secrets
      const databaseUrl = functionsDatabaseUrl({ host: '127.0.0.1', port: ports.database, password: databasePassword })
      const redisUrl = ports.redis === undefined ? undefined : localRedisUrl(ports.redis, webhookSecret)
      const local = localSettings({ databaseUrl, redisUrl, secrets })
      const text = readFileSync(join(APPLICATION_FOLDER, 'project.yml'), 'utf8')
      return { ...local, ...readProject({ text, local, environment: readLocalFile(APPLICATION_FOLDER) }).settings }
    },
  }
}

/** @throws NotRunningError that says how to start one, when none is running */
export function requireRunningServer(): RunningServer {
  const server = findRunningServer()
  if (server === undefined) throw new NotRunningError('No local server is running on this checkout: npm start starts one')
  return server
}
