import { type FailedSchedule } from './run-seeds.ts'
import { describeSchedule, type Schedule } from './schedule.ts'
import { type Played } from './play.ts'
import { writeHistory } from '../history.ts'

/** Returns a failure for a person: the seed, the schedule in words and as JSON, what is wrong, and what happened. */
export function describeFailure({ seed, before, schedule, played }: FailedSchedule): string {
  const drawn = before === 0 ? 'its first schedule' : `behind ${before} schedules that passed`
  return [`Seed ${seed} failed, ${drawn}. The shortest schedule that fails:`, describePlay(schedule, played)].join('\n')
}

/** Returns the same of a schedule that was not drawn. */
export function describePlay(schedule: Schedule, { problems, histories, output }: Played): string {
  return [
    indented(describeSchedule(schedule)),
    'As JSON, for --schedule FILE:',
    indented(JSON.stringify(schedule)),
    'Problems:',
    indented(problems.map(({ kind, id, text }) => `${kind}${id === undefined ? '' : ` ${id}`}: ${text}`).join('\n')),
    'What happened:',
    indented(histories.map(writeHistory).join('').trimEnd()),
    ...(output === '' ? [] : ['What the containers have printed:', indented(output.trimEnd())]),
  ].join('\n')
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
