import { ceilingOf } from './ceiling.ts'
import { type Proof } from './proof.ts'
import { type Sizes } from './sizes.ts'

/** Returns one line for each function: its size, its ceiling, how long it takes to load. */
export function describeProofs(proofs: readonly Proof[], sizes: Sizes): string {
  const width = Math.max(...proofs.map(({ name }) => name.length))
  return proofs
    .map(({ name, bytes, loadMs }) => {
      const loads = loadMs === undefined ? 'does not load' : `loads in ${Math.round(loadMs)} ms`
      return `${name.padEnd(width)}  ${bytes} of ${ceilingOf(name, sizes)} bytes, ${loads}\n`
    })
    .join('')
}

/** Returns one line for each problem, with the function's name in front. */
export function describeProblems(proofs: readonly Proof[]): string {
  return proofs.flatMap(({ name, problems }) => problems.map(problem => `${name} ${problem}\n`)).join('')
}

/** Returns one line for each warning, with the function's name in front. */
export function describeWarnings(proofs: readonly Proof[]): string {
  return proofs.flatMap(({ name, warnings }) => warnings.map(warning => `warning ${name} ${warning}\n`)).join('')
}
