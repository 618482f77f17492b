import { type Edit, inFunction, VALID_PROJECT } from '../valid-project.ts'
import { bad } from './case.ts'

const FUNCTION = 'packages[1].functions[0]'
const MIGRATE = VALID_PROJECT.slice(VALID_PROJECT.indexOf('      - name: migrate'))
const inPlace = (text: string): Edit => [MIGRATE, text]
const runtime = (text: string): Edit => ['        runtime: nodejs:24\n        web: false\n', `${text}        web: false\n`]
const web = (text: string): Edit => ['web: false', text]
const limits = (text: string): Edit => ['limits: { timeout: 60000, memory: 256 }', `limits: ${text}`]
const sequence = (text: string, rest = ''): Edit => inPlace(`      - name: migrate\n        web: false\n        sequence: ${text}\n${rest}`)

export const FUNCTION_CASES = [
  bad('a word in place of a function', inPlace('      - migrate\n'), 'function-type', FUNCTION),
  bad('null in place of a function', inPlace('      - ~\n'), 'function-type', FUNCTION),
  bad('a function without a name', ['      - name: migrate\n        runtime', '      - runtime'], 'name-missing', `${FUNCTION}.name`),
  bad('a function with a number for its name', ['name: migrate', 'name: 7'], 'name-type', `${FUNCTION}.name`),
  bad('a function with an empty name', ['name: migrate', "name: ''"], 'name-syntax', `${FUNCTION}.name`),
  bad('a function with a space in its name', ['name: migrate', 'name: migrate now'], 'name-syntax', `${FUNCTION}.name`),

  bad('no runtime', runtime(''), 'runtime-missing', `${FUNCTION}.runtime`, { line: 23 }),
  bad('a runtime that does not exist', runtime('        runtime: nodejs:99\n'), 'runtime-value', `${FUNCTION}.runtime`),
  bad('the default runtime of a language', runtime('        runtime: nodejs:default\n'), 'runtime-value', `${FUNCTION}.runtime`),
  bad('an empty runtime', runtime('        runtime: ""\n'), 'runtime-value', `${FUNCTION}.runtime`),
  bad('a number for a runtime', runtime('        runtime: 24\n'), 'runtime-value', `${FUNCTION}.runtime`),

  bad('main as a boolean', inFunction('main: true'), 'main-type', `${FUNCTION}.main`),
  bad('file as a number', inFunction('file: 1'), 'file-type', `${FUNCTION}.file`),
  bad('an empty file', inFunction('file: ""'), 'file-type', `${FUNCTION}.file`),
  bad('docker as a boolean', inFunction('docker: true'), 'docker-type', `${FUNCTION}.docker`),
  bad('binary as a string', inFunction('binary: "true"'), 'binary-type', `${FUNCTION}.binary`),
  bad('remoteBuild as a word', inFunction('remoteBuild: yes'), 'remote-build-type', `${FUNCTION}.remoteBuild`),
  bad('localBuild as a number', inFunction('localBuild: 1'), 'local-build-type', `${FUNCTION}.localBuild`),
  bad('both builds required', inFunction('remoteBuild: true\n        localBuild: true'), 'build-conflict', `${FUNCTION}.localBuild`, { line: 27 }),

  bad('no web', ['        web: false\n', ''], 'web-missing', `${FUNCTION}.web`, { line: 23 }),
  bad('web as yes', web('web: yes'), 'web-type', `${FUNCTION}.web`),
  bad('web as a quoted boolean', web('web: "true"'), 'web-type', `${FUNCTION}.web`),
  bad('web as a number', web('web: 1'), 'web-type', `${FUNCTION}.web`),
  bad('web in capitals', web('web: RAW'), 'web-type', `${FUNCTION}.web`),

  bad('webSecure as true', inFunction('webSecure: true'), 'web-secure-type', `${FUNCTION}.webSecure`),
  bad('webSecure as a number', inFunction('webSecure: 1234'), 'web-secure-type', `${FUNCTION}.webSecure`),
  bad('webSecure as the quoted word true', inFunction('webSecure: "true"'), 'web-secure-word', `${FUNCTION}.webSecure`),
  bad('webSecure as the quoted word false', inFunction('webSecure: "false"'), 'web-secure-word', `${FUNCTION}.webSecure`),
  bad('an empty webSecure', inFunction('webSecure: ""'), 'web-secure-empty', `${FUNCTION}.webSecure`),

  bad('environment of a function as a list', inFunction('environment: [A]'), 'environment-type', `${FUNCTION}.environment`),
  bad('a number in the environment of a function', inFunction('environment: { A: 1 }'), 'environment-value', `${FUNCTION}.environment.A`),
  bad('a boolean in the environment of a function', inFunction('environment: { A: true }'), 'environment-value', `${FUNCTION}.environment.A`),
  bad('null in the environment of a function', inFunction('environment: { A: }'), 'environment-value', `${FUNCTION}.environment.A`),
  bad('a name of a variable that begins with a digit', inFunction('environment: { 2FA: a }'), 'environment-name', `${FUNCTION}.environment["2FA"]`),
  bad('parameters of a function as a list', inFunction('parameters: [a]'), 'parameters-type', `${FUNCTION}.parameters`),
  bad('parameters of a function with a binary', inFunction('parameters: { key: !!binary aGk= }'), 'json-value', `${FUNCTION}.parameters.key`),
  bad('annotations of a function as a string', inFunction('annotations: a'), 'annotations-type', `${FUNCTION}.annotations`),
  bad('the annotation web-export', inFunction('annotations: { web-export: true }'), 'annotation-web-export', `${FUNCTION}.annotations.web-export`),
  bad('the annotation raw-http', inFunction('annotations: { raw-http: true }'), 'annotation-raw-http', `${FUNCTION}.annotations.raw-http`),
  bad(
    'the annotation raw-http turned off',
    inFunction('annotations: { raw-http: false }'),
    'annotation-raw-http',
    `${FUNCTION}.annotations.raw-http`,
  ),
  bad(
    'the annotation require-whisk-auth',
    inFunction('annotations: { require-whisk-auth: a }'),
    'annotation-require-whisk-auth',
    `${FUNCTION}.annotations.require-whisk-auth`,
  ),
  bad(
    'the annotation provide-api-key',
    inFunction('annotations: { provide-api-key: true }'),
    'annotation-provide-api-key',
    `${FUNCTION}.annotations.provide-api-key`,
  ),

  bad('limits as a number', limits('5'), 'limits-type', `${FUNCTION}.limits`),
  bad('limits as a list', limits('[]'), 'limits-type', `${FUNCTION}.limits`),
  bad('limits of concurrency', limits('{ timeout: 60000, concurrency: 5 }'), 'unknown-key', `${FUNCTION}.limits.concurrency`),
  bad('a quoted timeout', limits('{ timeout: "60000" }'), 'limit-type', `${FUNCTION}.limits.timeout`),
  bad('a timeout with a unit', limits('{ timeout: 60s }'), 'limit-type', `${FUNCTION}.limits.timeout`),
  bad('a memory that is null', limits('{ memory: }'), 'limit-type', `${FUNCTION}.limits.memory`),
  bad('logs as a boolean', limits('{ logs: true }'), 'limit-type', `${FUNCTION}.limits.logs`),
  bad('a timeout that is not a number', limits('{ timeout: .nan }'), 'limit-type', `${FUNCTION}.limits.timeout`),
  bad('a timeout with a fraction', limits('{ timeout: 10.5 }'), 'limit-integer', `${FUNCTION}.limits.timeout`),
  bad('a timeout too short', limits('{ timeout: 99 }'), 'timeout-range', `${FUNCTION}.limits.timeout`),
  bad('a timeout too long', limits('{ timeout: 900001 }'), 'timeout-range', `${FUNCTION}.limits.timeout`),
  bad('a timeout of zero', limits('{ timeout: 0 }'), 'timeout-range', `${FUNCTION}.limits.timeout`),
  bad('a memory too small', limits('{ memory: 127 }'), 'memory-range', `${FUNCTION}.limits.memory`),
  bad('a memory too large', limits('{ memory: 1025 }'), 'memory-range', `${FUNCTION}.limits.memory`),
  bad('logs below zero', limits('{ logs: -1 }'), 'logs-range', `${FUNCTION}.limits.logs`),
  bad('logs too large', limits('{ logs: 257 }'), 'logs-range', `${FUNCTION}.limits.logs`),

  bad('sequence as a string', sequence('api/health'), 'sequence-type', `${FUNCTION}.sequence`, { line: 25 }),
  bad('an empty sequence', sequence('[]'), 'sequence-empty', `${FUNCTION}.sequence`, { line: 25 }),
  bad('a sequence with a number', sequence('[api/health, 1]'), 'sequence-name', `${FUNCTION}.sequence[1]`, { line: 25 }),
  bad('a sequence with an empty name', sequence('[""]'), 'sequence-name', `${FUNCTION}.sequence[0]`, { line: 25 }),
  bad('a sequence with a runtime', sequence('[api/health]', '        runtime: nodejs:24\n'), 'sequence-exclusive', `${FUNCTION}.runtime`, {
    line: 26,
  }),
  bad('a sequence with a main', sequence('[api/health]', '        main: main\n'), 'sequence-exclusive', `${FUNCTION}.main`, { line: 26 }),
  bad('a sequence with binary', sequence('[api/health]', '        binary: true\n'), 'sequence-exclusive', `${FUNCTION}.binary`, { line: 26 }),
  bad('a sequence with a file', sequence('[api/health]', '        file: a.js\n'), 'sequence-exclusive', `${FUNCTION}.file`, { line: 26 }),
  bad('a sequence with an image', sequence('[api/health]', '        docker: a/b\n'), 'sequence-exclusive', `${FUNCTION}.docker`, { line: 26 }),

  bad('an unknown key of a function', inFunction('foo: bar'), 'unknown-key', `${FUNCTION}.foo`),
  bad('a misspelled key of a function', inFunction('websecure: true'), 'unknown-key', `${FUNCTION}.websecure`),
  bad('a required key in capitals', web('Web: false'), 'unknown-key', `${FUNCTION}.Web`),
  bad('timeout outside of limits', inFunction('timeout: 1000'), 'unknown-key', `${FUNCTION}.timeout`),
]
