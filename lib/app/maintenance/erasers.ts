import type { Eraser } from '../../functions-ops/src/maintenance/eraser.ts'
import { eraseDueActivities } from '../activity/erase.ts'
import { eraseDueEvents } from '../users/erase-events.ts'

/** What maintenance erases of users who were erased before. */
export const erasers: readonly Eraser[] = [
  {
    name: 'events',
    due: { name: 'dueEventErasures', table: 'users', since: 'events_due_at', only: 'erased_at IS NOT NULL', keepMs: 0 },
    beforeAttempts: true,
    erase: eraseDueEvents,
  },
  { name: 'activities', due: { name: 'dueErasures', table: 'users', since: 'activities_due_at', keepMs: 0 }, erase: eraseDueActivities },
]
