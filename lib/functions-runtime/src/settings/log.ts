import { oneOf } from './schemas.ts'
import { defineSettings } from './settings.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** How much the log tells. */
export const logSettings = defineSettings({ LOG_LEVEL: oneOf(logLevels, 'info') }, values => Object.freeze({ level: values.LOG_LEVEL }))
export type LogSettings = { readonly level: (typeof logLevels)[number] }
