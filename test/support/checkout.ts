import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const REPOSITORY = join(import.meta.dirname, '../..')

/** A checkout that a test may build in and change. */
export interface Checkout {
  readonly folder: string
  write(path: string, text: string): void
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
  return {
    folder,
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
