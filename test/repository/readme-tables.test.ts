import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { capacityTable } from '../../lib/functions-devkit/src/cli/doctor/capacity-table.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { alertKinds } from '../../lib/functions-ops/src/alerts/alert.ts'
import { thresholdSettings } from '../../lib/functions-ops/src/settings/thresholds.ts'
import { faultTable } from '../../lib/postgres-faults/src/matrix/fault-table.ts'

const limits = thresholdSettings.parse({}).value ?? expect.unreachable()
const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')

describe('the README', () => {
  it('shows the capacity table that is calculated', () => {
    expect(readme).toContain(`\n${capacityTable()}\n`)
  })

  it('shows the table of faults as the fault matrix has it', () => {
    expect(readme).toContain(`\n${faultTable()}\n`)
  })

  it('shows each kind of alert with its threshold and default', () => {
    const [, chapter = ''] = /^### Alerts$(.*?)^## /ms.exec(readme) ?? []
    const rows = [...chapter.matchAll(/^\| `([a-z-]+)` \|.*\| `(ALERT_\w+)` (\d+) \|$/gm)].map(([, kind, variable, value]) => ({
      kind,
      variable,
      value,
    }))
    expect(rows.map(({ kind }) => kind)).toEqual([...alertKinds])
    expect(rows.map(({ variable }) => variable)).toEqual([...thresholdSettings.variables])
    const documented = Object.fromEntries(rows.map(({ variable, value }) => [variable, value ?? ''])) as Record<string, string>
    expect(thresholdSettings.parse(documented).value).toEqual(limits)
  })
})
