/**
 * Every reason for which a project file is refused: what is wrong, and what to write instead.
 * `{}` stands for the detail that belongs to the case (a name or a kind of value, never a value).
 */
export const refusals = {
  // The text
  'unclosed-substitution': ['a ${ or $( is never closed, so the deployer stops here', 'Close it with } or ), or take the $ out'],
  'file-substitution': ['${<FILE} reads a file of the machine that deploys', 'Put the values into the environment and write $(NAME OTHER_NAME)'],
  'unresolved-variable': [
    'the variable {} is unset or empty, and the deployer substitutes in comments too',
    'Give it a value, or take the reference out',
  ],
  'reference-name': [
    'no variable has the name {}: the deployer knows no defaults, no commands and no commas, and substitutes in comments too',
    'Write ${NAME} or $(NAME OTHER_NAME), or take the $ out',
  ],
  tab: ['the deployer refuses a project file with a tab anywhere in it', 'Indent with spaces'],
  'tab-in-value': ['the value of {} contains a tab, and it is inserted as it is', 'Write $(NAME) in the place of a map: it encodes the value'],
  'empty-file': ['the file has no content', 'Begin with "packages:" and a list of packages'],
  'yaml-syntax': ['the YAML cannot be read: {}', 'Correct the syntax; a substituted value that is not plain text belongs into $(NAME)'],
  'duplicate-key': ['the same key stands twice in one map', 'Keep one of them'],
  'several-documents': ['the file holds more than one YAML document', 'Keep one document, without --- between'],
  'yaml-nesting': ['the file is nested more deeply than any project needs', 'Flatten it'],
  'yaml-cycle': ['an alias refers to a value that contains the alias', 'Write the value out'],
  'unsafe-key': ['a key named __proto__ is not passed on', 'Choose another name'],

  // Any level
  'unknown-key': ['the key is not known here; the deployer may pass over it in silence when its value is false, 0, null or empty', '{}'],
  'internal-key': ['the key is reserved for remote builds', 'Take it out'],
  'name-missing': ['the name is missing, and the deployer crashes without it', 'Add "name:"'],
  'name-type': ['the name is not a string', 'Write a string, in quotes if it looks like a number or a date'],
  'name-syntax': [
    'the platform takes names of up to 256 letters, digits and _ @ . - only, beginning with a letter, a digit or _',
    'Choose such a name',
  ],
  'environment-type': ['environment is not a map', 'Write a map of names to strings, or $(NAME OTHER_NAME)'],
  'environment-name': ['the name of an environment variable has other characters than letters, digits and _, or begins with a digit', 'Rename it'],
  'environment-value': [
    'the value of an environment variable is a {}, and only strings arrive as they are written',
    'Put it in quotes, or take it from the environment with <<: $(NAME)',
  ],
  'parameters-type': ['parameters is not a map', 'Write a map of names to JSON values'],
  'annotations-type': ['annotations is not a map', 'Write a map of names to JSON values'],
  'json-value': ['the value cannot be written as JSON (a date, a binary or not a number)', 'Put it in quotes'],
  'web-type': ['web is neither true, false nor the word raw', 'Write true, false or raw, without quotes; yes and no are strings'],
  'annotation-require-whisk-auth': ['the annotation require-whisk-auth may not be set by hand', 'Use webSecure on the function'],
  'annotation-provide-api-key': ['doctl forbids the annotation provide-api-key', 'Pass a key through environment'],
  'annotation-web-export': ['the annotation web-export may not be set by hand', 'Use web: true, false or raw'],
  'annotation-raw-http': ['the annotation raw-http may not be set by hand', 'Use web: raw'],

  // The project
  'project-type': ['the file is not a map', 'Begin with "packages:" and a list of packages'],
  'packages-missing': ['packages is missing: every folder under packages/ would be deployed, public', 'List every package'],
  'packages-type': ['packages is not a list', 'Write a list: each package begins with "- name:"'],
  'packages-empty': ['packages is empty: every folder under packages/ would be deployed, public', 'List every package'],
  'target-namespace': ['targetNamespace is neither a string nor a map with test or production', 'Write the name of a namespace, or take the key out'],
  'target-namespace-name': ['a target namespace is not a name', 'Write the name of a namespace as a string'],
  'too-many-triggers': [
    'the project has more than three triggers, the most a namespace takes',
    'Take one out; let one scheduled function do several tasks',
  ],
  'default-package-inherits': ['the package default cannot take over {} of the project', 'Set it on the functions, or give the package another name'],
  'duplicate-package': ['another package has the same name', 'Rename one, or put their functions together'],
  'duplicate-trigger': ['another trigger of the project has the same name, and names are unique in a namespace', 'Rename one'],

  // A package
  'package-type': ['a package is not a map', 'Write "- name: ..." and its functions'],
  'functions-missing': ['functions is missing: every folder of the package would be deployed, public', 'List every function'],
  'functions-type': ['functions is not a list', 'Write a list: each function begins with "- name:"'],
  'functions-empty': ['functions is empty: every folder of the package would be deployed, public', 'List every function, or take the package out'],
  'actions-alias': ['actions is the deployer’s old word, which doctl does not read', 'Write functions'],
  'shared-type': ['shared is not true or false', 'Write shared: false, or take it out'],
  'shared-package': ['doctl forbids a shared package, which lets every account call it', 'Write shared: false, or take it out'],
  'binding-type': ['binding is not a map', 'Write binding: { namespace: ..., name: ... }'],
  'binding-incomplete': ['binding lacks its {}', 'Write binding: { namespace: ..., name: ... }'],
  'binding-name': ['the {} of a binding is not a name', 'Write a string that is not empty'],
  'binding-with-functions': ['a package with a binding has no functions of its own', 'Take out binding or functions'],
  'default-package': ['the package default has no {} of its own', 'Set it on the functions, or give the package another name'],
  'duplicate-function': ['another function of the package has the same name', 'Rename one'],

  // A function
  'function-type': ['a function is not a map', 'Write "- name: ..." and its settings'],
  'runtime-missing': ['runtime is missing: the platform would choose one', 'Write runtime: nodejs:24'],
  'runtime-value': ['the runtime is not the one the functions are built for', 'Write runtime: nodejs:24'],
  'main-type': ['main is not a string', 'Write the name of the exported function, or take it out'],
  'file-type': ['file is not the name of a file', 'Write a path as a string, or take it out'],
  'docker-type': ['docker is not the name of an image', 'Write the image as a string, or take it out'],
  'binary-type': ['binary is not true or false', 'Write true or false'],
  'remote-build-type': ['remoteBuild is not true or false', 'Write true or false'],
  'local-build-type': ['localBuild is not true or false', 'Write true or false'],
  'build-conflict': ['remoteBuild and localBuild cannot both be true', 'Keep one of them'],
  'web-missing': ['web is missing, and the deployer’s default is a public function', 'Write web: true, raw or false'],
  'web-secure-type': ['webSecure is neither false nor a string', 'Write false, or the secret as a string'],
  'web-secure-word': ['the string given for webSecure would itself be the secret', 'Write false without quotes, or a real secret'],
  'web-secure-empty': ['an empty webSecure protects nothing', 'Write false, or the secret as a string'],
  'limits-type': ['limits is not a map', 'Write limits: { timeout: ..., memory: ... }'],
  'limit-type': ['the limit is not a number', 'Write a whole number without quotes'],
  'limit-integer': ['the limit is not a whole number', 'Write a whole number'],
  'timeout-range': ['timeout is outside 100 to 900000 milliseconds', 'Choose a number in this range'],
  'memory-range': ['memory is outside 128 to 1024 megabytes', 'Choose a number in this range'],
  'logs-range': ['logs is outside 0 to 256 kilobytes', 'Choose a number in this range'],
  'sequence-type': ['sequence is not a list', 'Write a list of function names'],
  'sequence-empty': ['sequence is empty', 'Name at least one function'],
  'sequence-name': ['an entry of sequence is not the name of a function', 'Write package/function as a string'],
  'sequence-exclusive': ['a sequence has no code, so {} has no meaning', 'Take out sequence or {}'],

  // A trigger
  'triggers-type': ['triggers is not a list', 'Write a list: each trigger begins with "- name:"'],
  'trigger-type': ['a trigger is not a map', 'Write name, type and scheduledDetails'],
  'trigger-kind-missing': ['the type of the trigger is missing', 'Write type: SCHEDULED'],
  'trigger-kind': ['the type of the trigger is not SCHEDULED, the only one there is', 'Write type: SCHEDULED'],
  'enabled-type': ['enabled is not true or false', 'Write true or false'],
  'details-missing': ['scheduledDetails is missing', 'Add scheduledDetails: { cron: ... }'],
  'details-type': ['scheduledDetails is not a map', 'Write scheduledDetails: { cron: ... }'],
  'body-type': ['body is not a map', 'Write a map, or take it out'],
  'legacy-trigger': ['sourceType and sourceDetails are the old form of a trigger', 'Write type: SCHEDULED and scheduledDetails: { cron, body }'],
  'cron-missing': ['cron is missing', 'Add five fields in quotes, as in "*/5 * * * *"'],
  'cron-type': ['cron is not a string', 'Write five fields in quotes, as in "*/5 * * * *"'],
  'cron-alias': ['names for whole schedules such as @daily are not known to the platform', 'Write five fields, as in "0 0 * * *"'],
  'cron-fields': ['cron does not have five fields; there is none for seconds', 'Write minute, hour, day, month and weekday'],
  'cron-name': ['the {} field of cron has a letter in it', 'Write months as 1-12 and weekdays as 0-6 (0 is Sunday)'],
  'cron-syntax': ['the {} field of cron has something other than digits and * , - / in their places', 'Write a number, a range, a list or a step'],
  'cron-range': ['the {} field of cron is outside its range', 'Choose a number in this range'],
  'cron-order': ['the {} field of cron has a range that ends before it begins', 'Swap its ends, or write two ranges'],
  'cron-step': ['the {} field of cron has a step that is 0 or longer than the field', 'Choose a step inside the field’s range'],
  'cron-never': ['cron names a day that none of its months has', 'Choose a day that exists'],

  // The file of environment variables
  'env-file-type': ['the file is JSON, but not a map', 'Write a map of names to strings, or NAME="value" lines'],
  'env-file-value': ['the value is a {}, and the deployer crashes on it', 'Put it in quotes'],
} as const satisfies Record<string, readonly [reason: string, fix: string]>

/** The stable name of a reason. */
export type RefusalCode = keyof typeof refusals

/** A reason as the message of a zod issue: the code, then the detail. */
export function refuse(code: RefusalCode, detail = ''): string {
  return detail ? `${code} ${detail}` : code
}

/** The error of a zod type: one reason when the key is missing, another when its value has the wrong type. */
export function missingOr(missing: RefusalCode, wrong: RefusalCode) {
  return (issue: { readonly input?: unknown }): string => refuse(issue.input === undefined ? missing : wrong)
}

/** Takes the message of a zod issue apart again. */
export function readRefusal(message: string): { code: RefusalCode; detail: string } {
  const space = message.indexOf(' ')
  const code = (space < 0 ? message : message.slice(0, space)) as RefusalCode
  return { code, detail: space < 0 ? '' : message.slice(space + 1) }
}
