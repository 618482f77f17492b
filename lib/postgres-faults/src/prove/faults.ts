/** What happens at a cut point. */
export const FAULTS = ['closed', 'reset', 'silent', 'server killed', 'client killed'] as const
export type ProvenFault = (typeof FAULTS)[number]

/** Whether a fault needs a server that no other run uses. */
export const needsOwnServer = (fault: ProvenFault): boolean => fault === 'server killed'

/**
 * Reads a list of faults, separated by commas.
 * @throws Error that names what is no fault
 */
export function readFaults(text: string): readonly ProvenFault[] {
  return text.split(',').map(part => {
    const found = FAULTS.find(fault => fault === part.trim())
    if (found === undefined) throw new Error(`'${part.trim()}' is no fault: write some of ${FAULTS.join(', ')}, separated by commas`)
    return found
  })
}
