/**
 * What `functions-devkit <name>` starts. `program` is the file below src, without its extension; a name whose file is missing is
 * unknown, because the package leaves out what only this repository needs. Its usage and options are declared in
 * `cli/options/<name>`, or in the file that `options` names. With `readsEnvironment`, .env is read first, except with --local: it
 * has the addresses of the deployment. With `needsIndexes`, stale indexes of the application are written first, before any is loaded.
 */
export const COMMANDS = {
  start: {
    program: 'server/start',
    options: 'server/options',
    needsIndexes: true,
    does: 'serve the functions on this machine, with a database of their own',
  },
  serve: { program: 'server/serve', does: 'serve the built functions as one long-lived process' },
  new: { program: 'cli/new', does: 'write a function, a table, a sender or a setting, each with a test' },
  sync: { program: 'cli/sync', does: 'write project.yml, indexes and tables of settings from the sources' },
  build: { program: 'build/command', does: 'check project.yml, build every function and prove the bundles' },
  deploy: { program: 'cli/deploy', does: 'deploy through doctl and compare the platform with project.yml' },
  migrate: { program: 'cli/migrate', readsEnvironment: true, does: 'write, check and apply migrations' },
  doctor: { program: 'cli/doctor', does: 'check everything that a deployment depends on' },
  secrets: { program: 'cli/secrets', does: 'print a fresh secret of each kind' },
  keys: { program: 'cli/keys', does: 'make an API key' },
  schedules: { program: 'cli/schedules', does: 'list, run, enable and disable schedules on the platform' },
  smoke: { program: 'cli/smoke', readsEnvironment: true, does: 'check the running functions with real requests' },
  logs: { program: 'cli/logs', does: 'tell where the log lines of the functions are' },
  send: { program: 'cli/send', does: 'send signed events to the server that start runs' },
  webhooks: { program: 'cli/webhooks', readsEnvironment: true, does: 'list, show, retry and park stored events' },
  openapi: { program: 'cli/openapi', does: 'list the functions that are APIs, print the OpenAPI contract of one' },
  upgrade: { program: 'cli/upgrade', does: 'take the next version of the framework' },
  'remove-sample': { program: 'cli/remove-sample', does: 'remove the sample application from this repository' },
  check: { program: 'build/check', does: 'check project.yml and what sync writes: for build.sh' },
  bundle: { program: 'build/bundle/main', does: 'bundle every function, without any check: for build.sh' },
}
