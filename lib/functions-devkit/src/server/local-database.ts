import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataFolderOf } from './data-folder.ts'
import { functionsDatabaseUrl } from './database.ts'
import { lockHolder } from './lock.ts'
import { keepSecrets } from './secrets.ts'

// The line of postmaster.pid that holds the port.
const PORT_LINE = 3

/** How to reach the database of the `npm start` that runs on this checkout; `undefined` when none does. */
export function runningDatabaseUrl(checkout: string, chosenFolder: string | undefined): string | undefined {
  const { folder } = dataFolderOf(checkout, chosenFolder)
  if (lockHolder({ folder })?.address === undefined) return undefined
  for (const name of readdirSync(folder).filter(one => /^postgres-\d+$/.test(one))) {
    const port = Number(pidFile(join(folder, name)).split('\n')[PORT_LINE])
    if (port > 0) return functionsDatabaseUrl({ host: '127.0.0.1', port, password: keepSecrets(folder).databasePassword })
  }
  return undefined
}

function pidFile(dataFolder: string): string {
  try {
    return readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8')
  } catch {
    return ''
  }
}
