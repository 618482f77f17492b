// The import table. `npm run lint` checks it with dependency-cruiser; lib/functions-devkit/test/imports.test.ts breaks each rule once.

/**
 * Layers from the lowest to the highest. A file imports its own layer, Node's own modules, the layers under `imports`, and the
 * packages under `npm`; nothing else. The application imports any package but pg, whose connections would not be those of the pool.
 * `lib/app` is missing from the table's `imports`, because it has a rule of its own.
 * Imports of types count as imports.
 */
export const LAYERS = {
  invocation: { path: '^lib/invocation/src/', imports: [], npm: [] },
  'resilient-sequelize': { path: '^lib/resilient-sequelize/src/', imports: ['invocation'], npm: ['pg', 'sequelize'] },
  'functions-runtime': {
    path: '^lib/functions-runtime/src/',
    imports: ['invocation', 'resilient-sequelize'],
    npm: ['pg', 'pino', 'sequelize', 'uuid', 'zod'],
  },
  'webhook-inbox': {
    path: '^lib/webhook-inbox/src/',
    imports: ['invocation', 'resilient-sequelize', 'functions-runtime'],
    npm: ['@redis/client', 'uuid', 'zod'],
  },
  'functions-ops': {
    path: '^lib/functions-ops/src/',
    imports: ['invocation', 'resilient-sequelize', 'functions-runtime', 'webhook-inbox'],
    npm: ['pg', 'uuid', 'zod'],
  },
  app: {
    path: '^lib/app/',
    imports: ['invocation', 'resilient-sequelize', 'functions-runtime', 'webhook-inbox', 'functions-ops'],
    npm: 'any but pg',
  },
  packages: {
    path: '^packages/',
    imports: ['invocation', 'resilient-sequelize', 'functions-runtime', 'webhook-inbox', 'functions-ops'],
    npm: 'any but pg',
  },

  // Never deployed, with the exception of stand-ins: the build puts those into bundles in place of npm packages.
  'stand-ins': { path: '^lib/functions-devkit/src/stand-ins/', imports: [], npm: 'any' },
  'doctl-project-schema': { path: '^lib/doctl-project-schema/(src|bin)/', imports: [], npm: ['dotenv', 'js-yaml', 'zod'] },
  'functions-devkit': {
    path: '^lib/functions-devkit/(bin/|src/(?!stand-ins/))',
    imports: ['invocation', 'resilient-sequelize', 'functions-runtime', 'webhook-inbox', 'functions-ops', 'stand-ins', 'doctl-project-schema'],
    npm: 'any',
  },
  'postgres-faults': {
    path: '^lib/postgres-faults/(bin|src)/',
    imports: ['invocation', 'resilient-sequelize', 'functions-runtime', 'functions-devkit'],
    npm: 'any',
  },
}

/** Tests may import everything. */
const TESTS = '^(test|lib/[^/]+/test)/'

const NPM_PATHS = { any: ['(^|/)node_modules/'], 'any but pg': ['(^|/)node_modules/(?!pg/)'] }
const npmPaths = npm => (typeof npm === 'string' ? NPM_PATHS[npm] : npm.map(name => `(^|/)node_modules/${name}/`))

const layerRules = Object.entries(LAYERS).map(([name, { path, imports, npm }]) => ({
  name: `imports-of-${name}`,
  comment: `${name} may import ${[...imports, typeof npm === 'string' ? `${npm} of npm` : npm].flat().join(', ') || 'nothing outside of itself'}.`,
  severity: 'error',
  from: { path },
  to: { pathNot: [path, LAYERS.app.path, ...imports.map(layer => LAYERS[layer].path), ...npmPaths(npm)], dependencyTypesNot: ['core'] },
}))

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'imports-of-lib-app',
      comment: 'Only packages and tests may import lib/app, so that it can be changed or deleted without an edit of the framework.',
      severity: 'error',
      from: { pathNot: [LAYERS.app.path, LAYERS.packages.path, TESTS] },
      to: { path: LAYERS.app.path },
    },
    {
      name: 'no-cycles',
      comment: 'Files must not import each other in a circle, types included: move what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-file-has-a-layer',
      comment: 'Add a row for this folder to LAYERS.',
      severity: 'error',
      from: { path: '^(lib|packages|test)/', pathNot: [TESTS, ...Object.values(LAYERS).map(({ path }) => path)] },
      to: {},
    },
    {
      name: 'every-import-resolves',
      comment: 'An import that leads nowhere escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Sees imports of types, which the compiler removes.
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)node_modules/' },
    // What the build writes.
    // Programs of the adoption tests run elsewhere, against installed packages.
    exclude: { path: ['^(lib|packages)/.+/dist/', '^test/adoption/programs/'] },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.json', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
      mainFields: ['main', 'types'],
    },
  },
}
