import { oneOf } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings } from '../../../functions-runtime/src/settings/settings.ts'

export interface InboxSettings {
  /** What a sender is told of an event that was parked: 200, or 500 so that it sends again. */
  readonly poisonStatus: 200 | 500
}

/** How the inbox answers. */
export const inboxSettings = defineSettings({ WEBHOOK_POISON: oneOf(['200', '500'], '200') }, ({ WEBHOOK_POISON: status }): InboxSettings =>
  Object.freeze({ poisonStatus: status === '500' ? 500 : 200 }),
)
