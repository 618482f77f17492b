import { DEFAULT_CROWDED_AT, MOST_CONTAINERS, recommend, type Recommendation } from './capacity.ts'
import { plans } from './plans.ts'

const FLEETS = [10, 60, MOST_CONTAINERS]

/** The table of the README, in Markdown: what fits which plan. */
export function capacityTable(): string {
  const head = [
    'memory',
    '`max_connections`',
    'usable',
    `kept at ${DEFAULT_CROWDED_AT} %`,
    'always free',
    ...FLEETS.map(count => `${count} containers`),
    'or: size of a connection pool',
  ]
  const rows = plans.map(plan => {
    const crowd = recommend(plan, { containers: plan.maxConnections })
    const cells = FLEETS.map(containers => describe(recommend(plan, { containers })))
    return [`${plan.memoryGb} GB`, plan.maxConnections, crowd.usable, crowd.held, crowd.free, ...cells, crowd.poolerSize]
  })
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function describe({ verdict, held, settings }: Recommendation): string {
  return verdict === 'guarded' ? `${held} warm, ${settings.containers - held} take turns` : verdict === 'warm' ? 'all warm' : verdict
}
