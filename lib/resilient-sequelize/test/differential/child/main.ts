import { loadCases } from '../catalog.ts'
import { withFault } from './faults.ts'
import { openGround } from './ground.ts'
import type { CaseAnswer, CaseOrder, SubjectOrder } from './orders.ts'
import { runCase } from './run-case.ts'
import { loadSubject } from './subjects.ts'

// One subject in a process of its own: what stock Sequelize and ours keep in modules must not meet.

const order = JSON.parse(process.argv[2] ?? '') as SubjectOrder
const [subject, ground, cases] = await Promise.all([loadSubject(order), openGround(order.server), loadCases()])

process.on('message', ({ id, group, title, fault }: CaseOrder) => {
  const one = cases.find(each => each.group === group && each.title === title)
  if (one === undefined) throw new Error(`There is no case ${group}: ${title}`)
  const tested = fault === undefined ? subject : withFault(subject, fault)
  void runCase(one, { subject: tested, order, ground }).then(outcome => process.send?.({ id, outcome } satisfies CaseAnswer))
})
process.send?.('ready')
