/** Node and the runtime hold about 56 MiB before a bundle is loaded (measured with a bundle of a few lines). */
const BARE_MEMORY_MB = 56

/** A minified bundle of 1.27 MB adds 26 to 35 MiB when it is loaded: 28 for each megabyte is the upper end. */
const MEMORY_PER_BUNDLE_MB = 28

/** As much again is left for the work itself: a full heap collects garbage in place of answering. */
const HEADROOM = 2

/** The least memory, in megabytes, that a function with a bundle of so many bytes should get. */
export function memoryForBundle(bytes: number): number {
  return Math.ceil((BARE_MEMORY_MB + (bytes / 1_000_000) * MEMORY_PER_BUNDLE_MB) * HEADROOM)
}
