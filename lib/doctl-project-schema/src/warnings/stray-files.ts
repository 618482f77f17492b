import { entriesOf } from '../tree/folder.ts'
import { type Warning, warningOf } from './warning.ts'

/** Files directly in packages/, which the deployer passes over; settings of other tools are refused elsewhere. */
export function strayFileWarnings(root: string): Warning[] {
  return entriesOf(root, 'packages')
    .filter(({ kind, name }) => kind === 'file' && !name.endsWith('.json'))
    .map(({ path }) => warningOf('stray-file', { file: path, subject: path }))
}
