import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type copyProject } from './project-copy.ts'

type Copy = ReturnType<typeof copyProject>

/** One way into a trap, done to a copy of our own project, and what is said about it. */
export interface TrapCase {
  title: string
  spring: (copy: Copy) => void
  /** `code file path` of the one problem, or the name of the one warning beyond those of the project itself. */
  refused?: string
  warned?: string
  /** Values of variables; without them stand-ins are used. */
  env?: Record<string, string>
}

/** A trap of the platform, in short words, and what becomes of it here. */
export interface Trap {
  number: number
  words: string
  kind: 'refused' | 'warned' | 'impossible' | 'not ours'
  /** Why it cannot happen, or why it cannot be seen from the project. */
  reason?: string
  cases: readonly TrapCase[]
}

const WEBHOOK = 'packages/api/webhook'
const FIRST = 'packages[0].functions[0]'

const refused = (title: string, what: string, spring: TrapCase['spring'], env?: Record<string, string>): TrapCase => ({
  title,
  refused: what,
  spring,
  ...(env ? { env } : {}),
})
const warned = (title: string, what: string, spring: TrapCase['spring'], env?: Record<string, string>): TrapCase => ({
  title,
  warned: what,
  spring,
  ...(env ? { env } : {}),
})

const file =
  (path: string, content = ''): TrapCase['spring'] =>
  copy => {
    mkdirSync(dirname(join(copy.root, path)), { recursive: true })
    copy.write(path, content)
  }
const folder =
  (path: string): TrapCase['spring'] =>
  ({ root }) =>
    void mkdirSync(join(root, path), { recursive: true })
const gone =
  (path: string): TrapCase['spring'] =>
  ({ root }) =>
    rmSync(join(root, path), { recursive: true })
const edited =
  (pattern: RegExp, replacement: string): TrapCase['spring'] =>
  ({ text, write }) => {
    if (!pattern.test(text)) throw new Error(`does not stand in project.yml: ${pattern.source}`)
    write('project.yml', text.replace(pattern, replacement))
  }
/** Adds a line to the first function, which is public. */
const inFunction = (line: string) => edited(/^( *)web: raw\n/m, `$1web: raw\n$1${line}\n`)
/** Adds a variable to the first function. */
const inEnvironment = (line: string) => edited(/environment:\n( *)<<:/, `environment:\n$1${line}\n$1<<:`)
const inProject = (line: string) => edited(/^packages:\n/m, `${line}\npackages:\n`)
const include = (text: string) => file(`${WEBHOOK}/.include`, text)
const manifest = (text: string): TrapCase['spring'] => file('lib/zip/package.json', text)

export const TRAPS: readonly Trap[] = [
  {
    number: 1,
    words: 'what is not declared is deployed, public',
    kind: 'refused',
    cases: [
      refused('a folder in a package', 'function-undeclared packages/api/debug', file('packages/api/debug/index.js')),
      refused('a package', 'package-undeclared packages/debug', file('packages/debug/dump/index.js')),
      refused('no project file', 'project-file-missing project.yml', gone('project.yml')),
    ],
  },
  {
    number: 2,
    words: 'files and empty folders in a package count as functions',
    kind: 'refused',
    cases: [
      refused('notes', 'loose-file packages/api/README.md', file('packages/api/README.md')),
      refused('settings', 'folder-settings packages/api/tsconfig.json', file('packages/api/tsconfig.json', '{}')),
      refused('a keeper of empty folders', 'loose-file packages/api/.gitkeep', file('packages/api/.gitkeep')),
      refused('raw TypeScript', 'loose-file packages/api/user.ts', file('packages/api/user.ts')),
      refused('an empty folder', 'empty-folder packages/api/new', folder('packages/api/new')),
      refused('node_modules', 'node-modules packages/api/node_modules', file('packages/api/node_modules/a/index.js')),
      warned('a file in packages itself', 'stray-file:packages/hello.js', file('packages/hello.js')),
    ],
  },
  {
    number: 3,
    words: 'whatever else lies at the top is passed over, a second project file too',
    kind: 'refused',
    cases: [refused('a second project file', 'second-project-file project.yaml', file('project.yaml', 'packages: []\n'))],
  },
  {
    number: 4,
    words: 'lib without a hook builds nothing',
    kind: 'refused',
    cases: [
      refused('no hook', 'build-hook-missing lib', gone('lib/build.sh')),
      refused('.include in lib', 'lib-include lib/.include', file('lib/.include', 'zip\n')),
      refused('.ignore in lib', 'lib-include lib/.ignore', file('lib/.ignore', 'zip\n')),
      refused('a hook for Windows only', 'build-hook-missing lib', ({ root }) => renameSync(join(root, 'lib/build.sh'), join(root, 'lib/build.cmd'))),
    ],
  },
  {
    number: 5,
    words: 'functions that are single files are not built',
    kind: 'refused',
    cases: [refused('a function as a file', 'loose-file packages/api/single.js', file('packages/api/single.js'))],
  },
  {
    number: 6,
    words: 'a package.json in a function’s folder installs there',
    kind: 'refused',
    cases: [refused('package.json', `folder-settings ${WEBHOOK}/package.json`, file(`${WEBHOOK}/package.json`, '{}'))],
  },
  {
    number: 7,
    words: '.include is neither a pattern nor a comment, and stays in its folder and lib',
    kind: 'refused',
    cases: [
      refused('none', `include-missing ${WEBHOOK}`, gone(`${WEBHOOK}/.include`)),
      refused('a comment', `include-comment ${WEBHOOK}/.include`, include('# bundle\ndist/index.js\n../../../lib/zip/package.json\n')),
      refused('a pattern', `include-glob ${WEBHOOK}/.include`, include('dist/*\n../../../lib/zip/package.json\n')),
      refused('a path elsewhere', `include-outside ${WEBHOOK}/.include`, include('dist/index.js\n../../../package.json\n')),
      refused('a path to nothing', `include-not-found ${WEBHOOK}/.include`, include('dist/index.js\n../../../lib/package.json\n')),
      refused('a link', `symlink ${WEBHOOK}/link.ts`, ({ root }) => symlinkSync('index.ts', join(root, WEBHOOK, 'link.ts'))),
      refused('.ignore beside it', `include-with-ignore ${WEBHOOK}/.ignore`, file(`${WEBHOOK}/.ignore`, 'a\n')),
      refused('two files of one name', `include-collision ${WEBHOOK}/.include`, ({ root, write }) => {
        cpSync(join(root, 'lib/zip'), join(root, 'lib/zap'), { recursive: true })
        write(`${WEBHOOK}/.include`, 'dist/index.js\n../../../lib/zip/package.json\n../../../lib/zap/package.json\n')
      }),
    ],
  },
  {
    number: 8,
    words: 'a build script needs its run bit',
    kind: 'refused',
    cases: [
      refused('the build', 'not-executable build.sh', ({ root }) => chmodSync(join(root, 'build.sh'), 0o644)),
      refused('the hook', 'not-executable lib/build.sh', ({ root }) => chmodSync(join(root, 'lib/build.sh'), 0o644)),
    ],
  },
  {
    number: 9,
    words: 'settings and products among the sources change what is bundled',
    kind: 'refused',
    cases: [
      refused('tsconfig.json', 'folder-settings packages/tsconfig.json', file('packages/tsconfig.json', '{}')),
      refused('a stale bundle', `product-beside-source ${WEBHOOK}/index.js`, file(`${WEBHOOK}/index.js`)),
    ],
  },
  {
    number: 10,
    words: 'a deploy leaves archives and marks behind',
    kind: 'refused',
    cases: [
      refused('a mark in lib', 'build-marker lib/.built', file('lib/.built')),
      refused('an archive before a remote build', `leftover-archive ${WEBHOOK}/__deployer__.zip`, copy => {
        inFunction('remoteBuild: true')(copy)
        file(`${WEBHOOK}/__deployer__.zip`)(copy)
      }),
    ],
  },
  {
    number: 11,
    words: 'a remote build lacks most of the project',
    kind: 'warned',
    cases: [warned('remoteBuild', 'remote-build:api/webhook', inFunction('remoteBuild: true'))],
  },
  {
    number: 12,
    words: 'references in comments are replaced too',
    kind: 'refused',
    cases: [
      refused('a comment with an unset variable', 'unresolved-variable project.yml', inFunction('# set ${UNSET}'), {}),
      refused('a command', 'unresolved-variable project.yml', inFunction('# built $(date)'), {}),
      warned('a comment, as long as nothing is known of the values', 'reference-in-comment:UNSET', inFunction('# set ${UNSET}')),
    ],
  },
  {
    number: 13,
    words: 'unset and empty are the same, and there are no defaults',
    kind: 'refused',
    cases: [
      refused('unset', 'unresolved-variable project.yml', inEnvironment('A: "${A}"'), {}),
      refused('empty', 'unresolved-variable project.yml', inEnvironment('A: "${A}"'), { A: '' }),
      refused('with a default', 'reference-name project.yml', inEnvironment('A: "${A:-a}"')),
    ],
  },
  {
    number: 14,
    words: 'a variable of the process wins over the file',
    kind: 'warned',
    reason: 'seen when the values are given to the check; the test below reads such a file',
    cases: [],
  },
  {
    number: 15,
    words: 'values inserted as text break or change the YAML',
    kind: 'refused',
    cases: [
      refused('a number', `environment-value project.yml ${FIRST}.environment.A`, inEnvironment('A: ${A}'), { A: '123' }),
      refused('a word', `environment-value project.yml ${FIRST}.environment.A`, inEnvironment('A: ${A}'), { A: 'true' }),
      refused('a date', `environment-value project.yml ${FIRST}.environment.A`, inEnvironment('A: ${A}'), { A: '2024-02-29' }),
      refused('an at sign', 'yaml-syntax project.yml', inEnvironment('A: ${A}'), { A: '@home' }),
      refused('a colon', 'yaml-syntax project.yml', inEnvironment('A: ${A}'), { A: 'a: b' }),
      refused('a quote', 'yaml-syntax project.yml', inEnvironment('A: "${A}"'), { A: 'a"b' }),
      refused('an unknown escape', 'yaml-syntax project.yml', inEnvironment('A: "${A}"'), { A: '\\d' }),
      refused('a tab', 'tab-in-value project.yml', inEnvironment('A: "${A}"'), { A: 'a\tb' }),
      refused('raw lines', 'yaml-syntax project.yml', inEnvironment('A: ${|A}'), { A: 'a\nb: c' }),
      warned('lines outside of double quotes', 'changed-value:A', inEnvironment('A: ${A}'), { A: 'a\nb' }),
      warned('lines in double quotes', 'text-substitution:A', inEnvironment('A: "${A}"'), { A: 'a\nb' }),
      warned('a cut value', 'changed-value:A', inEnvironment('A: ${A}'), { A: 'abc #def' }),
      warned('an escape', 'changed-value:A', inEnvironment('A: "${A}"'), { A: 'a\\nb' }),
      warned('any text', 'text-substitution:A', inEnvironment('A: "${A}"')),
    ],
  },
  {
    number: 16,
    words: 'only dictionaries bring every value over',
    kind: 'impossible',
    reason: 'our file names every variable in a dictionary; the test below brings awkward values over',
    cases: [],
  },
  {
    number: 17,
    words: '.env is read by its own rules',
    kind: 'warned',
    reason: 'seen when the file is given to the check; the test below reads such a file',
    cases: [],
  },
  {
    number: 18,
    words: 'the project’s variables escape the check of types',
    kind: 'refused',
    cases: ['0', 'false', '~', '{ b: c }'].map(value =>
      refused(value, 'environment-value project.yml environment.A', inProject(`environment: { A: ${value} }`)),
    ),
  },
  {
    number: 19,
    words: 'variables of project, package and function are kept apart',
    kind: 'warned',
    reason: 'functionsOf merges in the order of the platform; functions alone hold variables in our file',
    cases: [warned('of the package', 'shared-environment:api', edited(/- name: api\n/, '- name: api\n    environment: { A: a }\n'))],
  },
  {
    number: 20,
    words: 'scripts of a build see the account’s token',
    kind: 'impossible',
    reason: 'build.sh takes the token out of the environment before it installs; the test below reads it',
    cases: [],
  },
  {
    number: 21,
    words: 'what is taken out of the project stays deployed',
    kind: 'not ours',
    reason: 'the project does not know what is deployed; whoever takes a folder out is told what removes a function',
    cases: [refused('a folder taken out', `function-without-folder project.yml ${FIRST}.name`, gone(WEBHOOK))],
  },
  {
    number: 22,
    words: 'triggers fail one by one, or are skipped',
    kind: 'not ours',
    reason: 'it happens at deploy; names that are taken twice are refused before',
    cases: [
      refused(
        'two of one name',
        `duplicate-trigger project.yml packages[0].functions[2].triggers[0].name`,
        inFunction('triggers: [{ name: health-every-5-minutes, type: SCHEDULED, scheduledDetails: { cron: "0 * * * *" } }]'),
      ),
    ],
  },
  {
    number: 23,
    words: 'an incremental deploy misses changes of shared variables',
    kind: 'warned',
    cases: [warned('of the project', 'shared-environment:project', inProject('environment: { A: a }'))],
  },
  {
    number: 24,
    words: 'the deployer ends with 0 when it fails',
    kind: 'not ours',
    reason: 'doctl puts it right; our own check ends with 1',
    cases: [],
  },
  { number: 25, words: 'without credentials old runtimes are offered', kind: 'not ours', reason: 'it depends on how doctl is connected', cases: [] },
  {
    number: 26,
    words: 'a request may not name a parameter of the project',
    kind: 'warned',
    cases: [warned('a parameter', 'bound-parameters:api/webhook', inFunction('parameters: { a: 1 }'))],
  },
  {
    number: 27,
    words: 'a single file may run the wrong main',
    kind: 'refused',
    cases: [refused('one file', `include-single ${WEBHOOK}/.include`, include('dist/index.js\n'))],
  },
  {
    number: 28,
    words: 'a single file that throws is loaded twice',
    kind: 'refused',
    cases: [refused('one file', `include-single ${WEBHOOK}/.include`, include('dist/index.js\n'))],
  },
  {
    number: 29,
    words: 'an error after the answer ends the next call',
    kind: 'not ours',
    reason: 'it is in the code: lib/functions-runtime/src/edge and its tests',
    cases: [],
  },
  {
    number: 30,
    words: 'a container sleeps between calls',
    kind: 'not ours',
    reason: 'it is in the code: lib/functions-runtime/src/database and the chaos tests',
    cases: [],
  },
  {
    number: 31,
    words: 'ES modules do not start everywhere',
    kind: 'refused',
    cases: [
      refused('.mjs', `include-module ${WEBHOOK}/.include`, include('dist/index.mjs\n../../../lib/zip/package.json\n')),
      refused('the type of the archive', 'include-type lib/zip/package.json type', manifest('{ "main": "dist/index.js", "type": "module" }')),
    ],
  },
  {
    number: 32,
    words: 'log forwarding starts slowly',
    kind: 'warned',
    cases: [warned('forwarding', 'log-forwarding:api/webhook/LOG_DESTINATIONS', inEnvironment('LOG_DESTINATIONS: "[]"'))],
  },
  {
    number: 33,
    words: 'settings of node itself come too late',
    kind: 'warned',
    cases: ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'].map(name => warned(name, `late-variable:api/webhook/${name}`, inEnvironment(`${name}: a`))),
  },
  {
    number: 34,
    words: 'an event holds more than the caller’s fields',
    kind: 'not ours',
    reason: 'it is in the code: lib/functions-runtime/src/edge picks fields; the public functions are raw, where nothing is merged',
    cases: [],
  },
]
