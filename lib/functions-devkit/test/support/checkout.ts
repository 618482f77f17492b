import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const REPOSITORY = join(import.meta.dirname, '../../../..')

/** A checkout that a test may build in and change. */
export interface Checkout {
  readonly folder: string
  write(path: string, text: string): void
  /** Writes a file again as it is in the repository. */
  restore(path: string): void
  remove(): void
}

/** Copies parts of this checkout into a folder of its own, without build products; the packages are shared. */
export function copyCheckout(paths: readonly string[]): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')))
  // PostgreSQL runs as another user when the tests run as root, and has to get in.
  chmodSync(folder, 0o755)
  for (const path of paths) {
    cpSync(join(REPOSITORY, path), join(folder, path), { recursive: true, filter: source => !/\/(dist|node_modules)$/.test(source) })
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return {
    folder,
    write,
    restore: path => write(path, readFileSync(join(REPOSITORY, path), 'utf8')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
