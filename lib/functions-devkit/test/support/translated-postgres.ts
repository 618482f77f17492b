import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installedPostgres, startInstalledPostgres, type InstalledOptions, type InstalledServer } from './installed-postgres.ts'

/** Languages of the server's messages, by the name of their locale. German translates ERROR, Russian FATAL as well. */
export const LANGUAGES = ['de_DE', 'ru_RU'] as const
export type Language = (typeof LANGUAGES)[number]

/** The value of `lc_messages` for a language. */
export const messagesIn = (language: Language) => `${language}.UTF-8`

/** Returns the folder of an installed PostgreSQL that can report its errors in these languages; `undefined` if there is none. */
export function translatedPostgres(): string | undefined {
  const what = 'errors in other languages'
  const bin = installedPostgres(what)
  if (bin === undefined) return undefined
  const major = /postgresql\/(\d+)/.exec(bin)?.[1]
  const catalogs = LANGUAGES.map(language => `/usr/share/locale/${language.slice(0, 2)}/LC_MESSAGES/postgres-${major}.mo`)
  const missing = catalogs.find(catalog => !existsSync(catalog))
  if (missing === undefined) return bin
  if (process.env.CI) throw new Error(`${missing} is missing: ${what} cannot be left out here`)
  console.warn(`SKIPPED: ${what}, because ${missing} is missing`)
  return undefined
}

/** Starts a server of the installed programs whose databases may set `lc_messages` to these languages. */
export async function startTranslatedPostgres(bin: string, { settings }: Pick<InstalledOptions, 'settings'> = {}): Promise<InstalledServer> {
  const locales = await mkdtemp(join(tmpdir(), 'locales-'))
  await chmod(locales, 0o755)
  for (const language of LANGUAGES) {
    const made = spawnSync('localedef', ['-i', language, '-f', 'UTF-8', join(locales, messagesIn(language))], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`localedef failed for ${language}: ${made.error?.message ?? made.stderr}`)
  }
  const server = await startInstalledPostgres(bin, { ...(settings && { settings }), environment: { LOCPATH: locales } })
  return {
    ...server,
    async destroy() {
      await server.destroy()
      await rm(locales, { recursive: true, force: true })
    },
  }
}
