import { resolve } from 'node:path'

/** The root of this checkout. */
export const CHECKOUT = resolve(import.meta.dirname, '../../..')

/** Where `lib/app`, `packages` and `project.yml` lie: the checkout, or for tests the folder in `APPLICATION_FOLDER`. */
export const APPLICATION_FOLDER = resolve(CHECKOUT, process.env.APPLICATION_FOLDER ?? '.')
