/**
 * Every warning: what the platform will do, and what to write instead. `{}` stands for the detail of the case.
 * A warning names something that may be meant; whoever means it accepts it by its name.
 */
export const warningWordings = {
  'public-without-authentication': [
    'anyone who has the URL can call the function: the platform asks for no secret',
    'Write web: false or a webSecure secret; if the code itself checks every caller, accept the warning',
  ],
  'slow-public': [
    'a web call that takes longer than 30 s is answered with 202, which a caller reads as success, whatever becomes of it',
    'Write a timeout of at most 30000, or web: false',
  ],
  'small-memory': ['{}', 'Raise limits.memory, or make the bundle smaller'],
  'schedule-overlap': ['the function may still run when its schedule fires again: {}', 'Lower limits.timeout, or fire less often'],
  'bound-parameters': ['a request that sends {} itself is refused with 400: parameters of a function are final', 'Pass settings through environment'],
  'shared-environment': [
    'the environment is set for more than one function, and an incremental deploy may leave running functions with the old values',
    'Set it on each function',
  ],
  'late-variable': ['{} has no effect: node has started before the environment is set', 'Take it out, and set what it sets in the code'],
  'log-forwarding': ['{} makes the runtime start a second process, which takes about twice as long', 'Take it out, if a fast start matters more'],
  'remote-build': [
    'a remote build gets project.yml, lib/ and the folder of the function only: no package.json, no node_modules of the root',
    'Take remoteBuild out, and build before the deploy',
  ],
  'reference-in-comment': ['the deployer substitutes in comments too, and stops when {} is unset or empty', 'Write the name without $ and brackets'],
  'text-substitution': [
    'the value of {} is inserted as text before the YAML is read: a quote, a colon, a # or a backslash in it is read as YAML',
    'Write <<: $({}), which encodes the value',
  ],
  'changed-value': ['the value of {} does not arrive as it is: YAML cuts or rewrites it', 'Write <<: $({}), which encodes the value'],
  'stray-file': ['a file directly in packages/ is passed over in silence', 'Move it into the folder of a function, or out of packages/'],
  'env-file-comment': ['the value of {} ends before its #, which begins a comment', 'Put the value in quotes'],
  'env-file-override': ['the environment of the process has another value for {}, and that one is deployed', 'Unset it, or rename the variable'],
  'accepts-nothing': ['there is no such warning to accept', 'Take it out of the call'],
} as const satisfies Record<string, readonly [reason: string, fix: string]>

/** The stable name of a kind of warning. */
export type WarningCode = keyof typeof warningWordings
