import js from '@eslint/js'
import vitest from '@vitest/eslint-plugin'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.local/**', 'test/adoption/ordinary-app/**', 'test/adoption/programs/{functions,proofs}/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: `${import.meta.dirname}/..` } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // An application adds its types to an interface of the framework.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      // An async function without await is how a synchronous stand-in fits an asynchronous interface.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // The environment is read in one place; what a command line prints is its product.
    files: ['lib/**/*.ts', 'packages/**/*.ts'],
    ignores: [
      'lib/functions-runtime/src/settings/**',
      'lib/functions-devkit/**',
      'lib/doctl-project-schema/**',
      'lib/postgres-faults/**',
      'lib/*/test/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read settings through lib/functions-runtime/src/settings.' },
      ],
    },
  },
  {
    files: ['lib/functions-devkit/**', 'lib/doctl-project-schema/**', 'lib/postgres-faults/**', 'lib/*/test/**', 'test/**'],
    rules: { 'no-console': 'off' },
  },
  // What a test is handed is a record of functions, taken apart as it needs them.
  { files: ['test/**/*.ts', 'lib/postgres-faults/**/*.ts', 'lib/*/test/**/*.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  {
    files: ['test/**/*.test.ts', 'lib/*/test/**/*.test.ts'],
    plugins: { vitest },
    rules: {
      ...vitest.configs.recommended.rules,
      // The second argument says what was compared.
      'vitest/valid-expect': ['error', { maxArgs: 2 }],
      'vitest/no-focused-tests': 'error',
      'vitest/no-disabled-tests': 'error',
      'vitest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', 'assert*', 'fc.assert'] }],
    },
  },
)
