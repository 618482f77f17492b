/** A project file that every rule accepts; each test breaks or changes one part of it. */
export const VALID_PROJECT = `packages:
  - name: api
    functions:
      - name: webhook
        runtime: nodejs:24
        web: raw
        limits: { timeout: 10000, memory: 256 }
        environment:
          <<: $(DB_CONNECTION_URL DB_CA_CERT LOG_LEVEL)
      - name: health
        runtime: nodejs:24
        web: raw
        limits: { timeout: 10000, memory: 256 }
        triggers:
          - name: health-every-5-minutes
            type: SCHEDULED
            enabled: true
            scheduledDetails:
              cron: "*/5 * * * *"
              body: { source: schedule }
  - name: ops
    functions:
      - name: migrate
        runtime: nodejs:24
        web: false
        limits: { timeout: 60000, memory: 256 }
`

/** The variables that the valid project asks for. */
export const VALID_ENVIRONMENT = {
  DB_CONNECTION_URL: 'postgresql://app:p%40ss@db.example:25060/app?sslmode=require',
  DB_CA_CERT: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  LOG_LEVEL: 'info',
}

/** One change of the valid project: what stands there now, and what is written instead. */
export type Edit = readonly [from: string, to: string]

export function edited([from, to]: Edit): string {
  if (VALID_PROJECT.split(from).length !== 2) throw new Error(`does not stand exactly once in the valid project: ${from}`)
  return VALID_PROJECT.replace(from, () => to)
}

/** Adds lines to the project itself. */
export function inProject(lines: string): Edit {
  return ['packages:\n', `${lines}\npackages:\n`]
}

/** Adds a line to the package `ops`. */
export function inPackage(line: string): Edit {
  return ['  - name: ops\n', `  - name: ops\n    ${line}\n`]
}

/** Adds a line to the function `ops/migrate`. */
export function inFunction(line: string): Edit {
  return ['        web: false\n', `        web: false\n        ${line}\n`]
}

/** Adds a line to the trigger of `api/health`. */
export function inTrigger(line: string): Edit {
  return ['            enabled: true\n', `            enabled: true\n            ${line}\n`]
}
