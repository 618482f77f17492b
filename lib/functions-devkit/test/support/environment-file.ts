import { placeholderEnvironment } from '../../../doctl-project-schema/src/index.ts'

const VALUES: Readonly<Record<string, string>> = {
  DB_CONNECTION_URL: 'postgresql://doadmin:PASSWORD@HOST.db.ondigitalocean.com:25060/defaultdb?sslmode=require',
  LOG_LEVEL: 'info',
}

/** Every variable that a project.yml passes on, as a new `.env` has them: `none`, except for what has to be there. */
export function exampleVariables(project: string): Record<string, string> {
  return Object.fromEntries(Object.keys(placeholderEnvironment(project)).map(name => [name, VALUES[name] ?? 'none']))
}

/** The text of a `.env` file with these variables. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('')
}
