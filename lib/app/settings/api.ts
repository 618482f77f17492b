import { defineApiKeys } from '../../functions-runtime/src/settings/api-keys.ts'

/** What a key may be for: reading users and what belongs to them, writing users, writing transactions. */
export const scopes = ['users:read', 'users:write', 'transactions:write'] as const
export type Scope = (typeof scopes)[number]

export const apiSettings = defineApiKeys(scopes)
