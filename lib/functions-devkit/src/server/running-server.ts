import { APPLICATION_FOLDER } from '../application-folder.ts'
import { dataFolderOf } from './data-folder.ts'
import { runningDatabaseUrl } from './local-database.ts'
import { lockHolder } from './lock.ts'
import { keepSecrets, type LocalSecrets } from './secrets.ts'

/** The `npm start` that runs on this checkout, as its data folder has it. */
export interface RunningServer {
  /** Without a slash at its end. */
  readonly address: string
  readonly secrets: LocalSecrets
  /** @throws NotRunningError while the database is still starting */
  readonly databaseUrl: () => string
}

/** No server runs, or it cannot be used yet. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError'
}

/** Returns the server that is running; undefined when none is. */
export function findRunningServer(): RunningServer | undefined {
  const chosen = process.env.LOCAL_DATA_FOLDER
  const { folder } = dataFolderOf(APPLICATION_FOLDER, chosen)
  const address = lockHolder({ folder })?.address
  if (address === undefined) return undefined
  return {
    address,
    secrets: keepSecrets(folder),
    databaseUrl() {
      const url = runningDatabaseUrl(APPLICATION_FOLDER, chosen)
      if (url === undefined) throw new NotRunningError('npm start is still starting its database: try again once it has printed its address')
      return url
    },
  }
}

/** @throws NotRunningError that says how to start one, when none is running */
export function requireRunningServer(): RunningServer {
  const server = findRunningServer()
  if (server === undefined) throw new NotRunningError('No local server is running on this checkout: npm start starts one')
  return server
}
