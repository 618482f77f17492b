/** Where the life of the pool is logged. pino, winston and console wrappers fit. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** Where events are counted: a name, what it happened to, and how it ended. */
export interface Counter {
  add(name: string, label?: string, outcome?: string): void
}

const ignore = () => undefined
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
export const noCounter: Counter = { add: ignore }
