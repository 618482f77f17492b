/** How many generated requests each comparison of verifiers takes; `npm run test:full` takes more. */
export const VERIFIER_RUNS = Number(process.env.VERIFIER_RUNS ?? 150)
