import { defineApiKeys } from '../../../../../../functions-runtime/src/settings/api-keys.ts'

export const scopes = ['users:read', 'users:write'] as const

export const apiSettings = defineApiKeys(scopes)
