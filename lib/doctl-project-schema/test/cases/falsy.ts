import { type Edit, inFunction, inPackage, inProject, inTrigger } from '../valid-project.ts'
import { bad } from './case.ts'

/** The values that the deployer takes for an absent key. */
const FALSY = ['false', '""', '0', 'null', '']

const LEVELS: readonly (readonly [name: string, insert: (line: string) => Edit, path: string])[] = [
  ['the project', inProject, ''],
  ['a package', inPackage, 'packages[1].'],
  ['a function', inFunction, 'packages[1].functions[0].'],
  ['a trigger', inTrigger, 'packages[0].functions[1].triggers[0].'],
]

export const FALSY_CASES = [
  ...LEVELS.flatMap(([name, insert, path]) =>
    FALSY.map(value => bad(`an unknown key of ${name} with the value ${value || '(none)'}`, insert(`foo: ${value}`), 'unknown-key', `${path}foo`)),
  ),
  bad('a misspelled webSecure that is false', inFunction('websecure: false'), 'unknown-key', 'packages[1].functions[0].websecure'),
  bad('a misspelled environment that is null', inPackage('enviroment:'), 'unknown-key', 'packages[1].enviroment'),
  bad('environment of the project as false', inProject('environment: false'), 'environment-type', 'environment'),
  bad('environment of the project as null', inProject('environment:'), 'environment-type', 'environment'),
  bad('parameters of the project as zero', inProject('parameters: 0'), 'parameters-type', 'parameters'),
  bad('targetNamespace as false', inProject('targetNamespace: false'), 'target-namespace', 'targetNamespace'),
  bad('environment of a package as an empty string', inPackage('environment: ""'), 'environment-type', 'packages[1].environment'),
  bad('annotations of a package as false', inPackage('annotations: false'), 'annotations-type', 'packages[1].annotations'),
  bad('shared as zero', inPackage('shared: 0'), 'shared-type', 'packages[1].shared'),
  bad('web of a package as null', inPackage('web:'), 'web-type', 'packages[1].web'),
  bad('binding as false', inPackage('binding: false'), 'binding-type', 'packages[1].binding'),
  bad('environment of a function as null', inFunction('environment:'), 'environment-type', 'packages[1].functions[0].environment'),
  bad('main as zero', inFunction('main: 0'), 'main-type', 'packages[1].functions[0].main'),
  bad('webSecure as zero', inFunction('webSecure: 0'), 'web-secure-type', 'packages[1].functions[0].webSecure'),
  bad('webSecure as null', inFunction('webSecure:'), 'web-secure-type', 'packages[1].functions[0].webSecure'),
  bad('binary as an empty string', inFunction('binary: ""'), 'binary-type', 'packages[1].functions[0].binary'),
  bad('triggers as false', inFunction('triggers: false'), 'triggers-type', 'packages[1].functions[0].triggers'),
  bad('parameters of a function as null', inFunction('parameters: null'), 'parameters-type', 'packages[1].functions[0].parameters'),
  bad('limits as null', ['limits: { timeout: 60000, memory: 256 }', 'limits:'], 'limits-type', 'packages[1].functions[0].limits'),
  bad('web as null', ['web: false', 'web:'], 'web-type', 'packages[1].functions[0].web'),
  bad('web as zero', ['web: false', 'web: 0'], 'web-type', 'packages[1].functions[0].web'),
  bad('web as an empty string', ['web: false', 'web: ""'], 'web-type', 'packages[1].functions[0].web'),
]
