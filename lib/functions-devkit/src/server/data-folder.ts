import { isAbsolute, resolve } from 'node:path'
import { localVariable } from './local-environment.ts'
import { dataRootFor } from './postgres/data-root.ts'

export interface DataFolder {
  readonly folder: string
  /** Why it is not inside the checkout. */
  readonly reason?: string
}

/** Returns where database, secrets and lock of a checkout are. `LOCAL_DATA_FOLDER` of the shell or of .env.local names another place. */
export function dataFolderOf(checkout: string, ofShell: string | undefined): DataFolder {
  const chosen = localVariable(checkout, 'LOCAL_DATA_FOLDER', { LOCAL_DATA_FOLDER: ofShell })
  if (chosen !== undefined && chosen !== '') return { folder: isAbsolute(chosen) ? chosen : resolve(checkout, chosen) }
  const { folder, relocated } = dataRootFor(checkout)
  return relocated ? { folder, reason: 'PostgreSQL does not run as root, and the user it runs as cannot enter this checkout' } : { folder }
}
