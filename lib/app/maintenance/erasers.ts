import type { Eraser } from '../../functions-ops/src/maintenance/eraser.ts'
import { activityEraser } from '../activity/erase.ts'
import { eventEraser } from '../users/erase-events.ts'

/** What maintenance erases of users who were erased before. */
export const erasers: readonly Eraser[] = [eventEraser, activityEraser]
