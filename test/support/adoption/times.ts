/** How often each fault of test/adoption strikes: `ADOPTION_TIMES`, by default once. */
export const ADOPTION_TIMES = Math.max(1, Number.parseInt(process.env.ADOPTION_TIMES ?? '1', 10) || 1)
