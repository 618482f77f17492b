let aheadMs = 0

/** Puts the clock of this process ahead by so many ms, or behind. Timers and `performance.now()` go on as they did. */
export function shiftClock(ms: number): void {
  aheadMs = ms
}

const Standard = Date

/** The clock that the code of this process sees. */
class ShiftedDate extends Standard {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(ShiftedDate.now())
    else super(...(given as [number]))
  }

  static override now(): number {
    return Standard.now() + aheadMs
  }
}

globalThis.Date = ShiftedDate as DateConstructor
