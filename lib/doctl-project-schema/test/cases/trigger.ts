import { type Edit, inTrigger, VALID_PROJECT } from '../valid-project.ts'
import { bad } from './case.ts'

const HEALTH = 'packages[0].functions[1]'
const TRIGGER = `${HEALTH}.triggers[0]`
const DETAILS = `${TRIGGER}.scheduledDetails`
const ALL_TRIGGERS = VALID_PROJECT.slice(VALID_PROJECT.indexOf('        triggers:'), VALID_PROJECT.indexOf('  - name: ops'))
const ALL_DETAILS = ALL_TRIGGERS.slice(ALL_TRIGGERS.indexOf('            scheduledDetails:'))
const TYPE = '            type: SCHEDULED\n'
const details = (text: string): Edit => [ALL_DETAILS, text]
const cron = (expression: string): Edit => ['"*/5 * * * *"', expression]

export const TRIGGER_CASES = [
  bad('triggers as a map', [ALL_TRIGGERS, '        triggers: { name: a }\n'], 'triggers-type', `${HEALTH}.triggers`),
  bad('triggers as null', [ALL_TRIGGERS, '        triggers:\n'], 'triggers-type', `${HEALTH}.triggers`, { line: 14 }),
  bad('a word in place of a trigger', [ALL_TRIGGERS, '        triggers: [hourly]\n'], 'trigger-type', TRIGGER),
  bad('a list in place of a trigger', [ALL_TRIGGERS, '        triggers: [[]]\n'], 'trigger-type', TRIGGER),
  bad(
    'a trigger without a name',
    ['          - name: health-every-5-minutes\n            type', '          - type'],
    'name-missing',
    `${TRIGGER}.name`,
  ),
  bad('a trigger with a number for its name', ['name: health-every-5-minutes', 'name: 5'], 'name-type', `${TRIGGER}.name`),
  bad('a trigger with an empty name', ['name: health-every-5-minutes', 'name: ""'], 'name-syntax', `${TRIGGER}.name`),
  bad('a trigger without a type', [TYPE, ''], 'trigger-kind-missing', `${TRIGGER}.type`, { line: 15 }),
  bad('a trigger of another type', [TYPE, '            type: HTTP\n'], 'trigger-kind', `${TRIGGER}.type`),
  bad('a trigger with null for its type', [TYPE, '            type:\n'], 'trigger-kind', `${TRIGGER}.type`),
  bad('enabled as a string', ['enabled: true', 'enabled: "true"'], 'enabled-type', `${TRIGGER}.enabled`),
  bad('enabled as zero', ['enabled: true', 'enabled: 0'], 'enabled-type', `${TRIGGER}.enabled`),
  bad('an unknown key of a trigger', inTrigger('retries: 3'), 'unknown-key', `${TRIGGER}.retries`),
  bad('overwrite, a key of older deployers', inTrigger('overwrite: true'), 'unknown-key', `${TRIGGER}.overwrite`),
  bad('no scheduledDetails', details(''), 'details-missing', DETAILS, { line: 15 }),
  bad('scheduledDetails as a string', details('            scheduledDetails: "* * * * *"\n'), 'details-type', DETAILS),
  bad('scheduledDetails as null', details('            scheduledDetails:\n'), 'details-type', DETAILS, { line: 18 }),
  bad('scheduledDetails without cron', details('            scheduledDetails: { body: {} }\n'), 'cron-missing', `${DETAILS}.cron`),
  bad('an interval', ['              body: { source: schedule }\n', '              interval: 5\n'], 'unknown-key', `${DETAILS}.interval`),
  bad('once', ['              body: { source: schedule }\n', '              once: false\n'], 'unknown-key', `${DETAILS}.once`),
  bad('body as a string', ['body: { source: schedule }', 'body: schedule'], 'body-type', `${DETAILS}.body`),
  bad('body as null', ['body: { source: schedule }', 'body:'], 'body-type', `${DETAILS}.body`),
  bad('body with a date', ['body: { source: schedule }', 'body: { since: 2024-02-29 }'], 'json-value', `${DETAILS}.body.since`),
  bad(
    'the old form of a trigger',
    [ALL_TRIGGERS, '        triggers:\n          - { name: a, sourceType: scheduler, sourceDetails: { cron: "* * * * *", withBody: {} } }\n'],
    'legacy-trigger',
    `${TRIGGER}.sourceType`,
  ),

  bad('cron as a number', cron('5'), 'cron-type', `${DETAILS}.cron`),
  bad('cron as null', cron(''), 'cron-type', `${DETAILS}.cron`),
  bad('cron as a date', cron('2024-02-29'), 'cron-type', `${DETAILS}.cron`),
  bad('an empty cron', cron('""'), 'cron-fields', `${DETAILS}.cron`),
  bad('a name for a whole schedule', cron('"@daily"'), 'cron-alias', `${DETAILS}.cron`),
  bad('cron with four fields', cron('"* * * *"'), 'cron-fields', `${DETAILS}.cron`),
  bad('cron with seconds', cron('"0 */5 * * * *"'), 'cron-fields', `${DETAILS}.cron`),
  bad('the name of a weekday', cron('"0 0 * * MON"'), 'cron-name', `${DETAILS}.cron`),
  bad('a range of weekday names', cron('"0 0 * * MON-FRI"'), 'cron-name', `${DETAILS}.cron`),
  bad('the name of a month', cron('"0 0 1 jan *"'), 'cron-name', `${DETAILS}.cron`),
  bad('a question mark', cron('"0 0 ? * 1"'), 'cron-syntax', `${DETAILS}.cron`),
  bad('the last day of a month', cron('"0 0 L * *"'), 'cron-syntax', `${DETAILS}.cron`),
  bad('a list with a gap', cron('"1,,2 * * * *"'), 'cron-syntax', `${DETAILS}.cron`),
  bad('a negative number', cron('"-1 * * * *"'), 'cron-syntax', `${DETAILS}.cron`),
  bad('minute 60', cron('"60 * * * *"'), 'cron-range', `${DETAILS}.cron`),
  bad('hour 24', cron('"0 24 * * *"'), 'cron-range', `${DETAILS}.cron`),
  bad('day 0', cron('"0 0 0 * *"'), 'cron-range', `${DETAILS}.cron`),
  bad('day 32 in a range', cron('"0 0 1-32 * *"'), 'cron-range', `${DETAILS}.cron`),
  bad('month 13', cron('"0 0 1 13 *"'), 'cron-range', `${DETAILS}.cron`),
  bad('weekday 7', cron('"0 0 * * 7"'), 'cron-range', `${DETAILS}.cron`),
  bad('a range that ends before it begins', cron('"0 17-9 * * *"'), 'cron-order', `${DETAILS}.cron`),
  bad('a step of 61 minutes', cron('"*/61 * * * *"'), 'cron-step', `${DETAILS}.cron`),
  bad('a step of 60 minutes', cron('"*/60 * * * *"'), 'cron-step', `${DETAILS}.cron`),
  bad('a step of zero', cron('"*/0 * * * *"'), 'cron-step', `${DETAILS}.cron`),
  bad('the thirtieth of February', cron('"0 0 30 2 *"'), 'cron-never', `${DETAILS}.cron`),
  bad('the last day of short months only', cron('"0 0 31 4,6-9/3 *"'), 'cron-never', `${DETAILS}.cron`),
]
