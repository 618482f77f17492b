import { chmodSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TreeRefusalCode } from '../../src/tree/refusals.ts'
import { type Stage } from '../../src/tree/include-file.ts'
import { VALID_PROJECT } from '../valid-project.ts'

/** A tree with one mistake, and the one problem it is refused with. */
export interface BadTree {
  title: string
  /** Files beside or in place of those of the valid tree; undefined takes one out. */
  changes: Record<string, string | undefined>
  code: TreeRefusalCode
  /** The file of the problem, its line if it has one, and its path in the data. */
  place: string
  fix: string
  prepare?: (root: string) => void
  stage?: Stage
}

const bad = (
  title: string,
  changes: BadTree['changes'],
  code: TreeRefusalCode,
  place: string,
  fix: string,
  more: Pick<BadTree, 'prepare' | 'stage'> = {},
): BadTree => ({ title, changes, code, place, fix, ...more })

const without = (folder: string): BadTree['changes'] => ({ [`${folder}/index.ts`]: undefined, [`${folder}/.include`]: undefined })
const project = (from: string, to: string): BadTree['changes'] => ({ 'project.yml': VALID_PROJECT.replace(from, to) })
const MIGRATE = 'packages/ops/migrate'
const include = (text: string): BadTree['changes'] => ({ [`${MIGRATE}/.include`]: text })
const manifest = (text: string): BadTree['changes'] => ({
  'lib/own/package.json': text,
  ...include('dist/index.js\n../../../lib/own/package.json\n'),
})
const link = (path: string) => ({ prepare: (root: string) => symlinkSync('index.ts', join(root, path)) })
const linkedFolder = (path: string) => ({
  prepare: (root: string) => {
    renameSync(join(root, path), join(root, 'elsewhere'))
    symlinkSync(join(root, 'elsewhere'), join(root, path))
  },
})
const withoutRunBit = (path: string) => ({ prepare: (root: string) => chmodSync(join(root, path), 0o644) })

export const TREE_CASES: readonly BadTree[] = [
  bad('no project file', { 'project.yml': undefined }, 'project-file-missing', 'project.yml', 'Write a project.yml'),
  bad('a second project file', { 'project.yaml': 'packages: []\n' }, 'second-project-file', 'project.yaml', 'Delete it'),
  bad('a project file for another stage', { 'project.staging.yml': 'packages: []\n' }, 'second-project-file', 'project.staging.yml', 'Delete it'),
  bad(
    'no folder for packages',
    { ...without('packages/api/webhook'), ...without('packages/api/health'), ...without(MIGRATE) },
    'packages-folder-missing',
    'packages',
    'Create packages/api/webhook/index.ts',
  ),

  bad(
    'a file in the place of packages',
    { ...without('packages/api/webhook'), ...without('packages/api/health'), ...without(MIGRATE), packages: '' },
    'packages-folder-missing',
    'packages',
    'Create packages/api/webhook/index.ts',
  ),
  bad('a folder in the place of the project file', { 'project.yml': undefined, 'project.yml/': '' }, 'project-file-missing', 'project.yml', 'Write'),
  bad('a project file that is a link to nothing', { 'project.yml': undefined }, 'project-file-missing', 'project.yml', 'Write a project.yml', {
    prepare: root => symlinkSync('nowhere', join(root, 'project.yml')),
  }),

  bad('a package that is not declared', { 'packages/debug/dump/index.js': '' }, 'package-undeclared', 'packages/debug', 'Add "- name: debug"'),
  bad('a package without a folder', without(MIGRATE), 'package-without-folder', 'project.yml:21 packages[1].name', 'Create it'),
  bad('a package renamed in the file', project('name: ops', 'name: tasks'), 'package-renamed', 'project.yml:21 packages[1].name', 'write name: ops'),
  bad('a function that is not declared', { 'packages/ops/dump/index.js': '' }, 'function-undeclared', 'packages/ops/dump', 'Add "- name: dump"'),
  bad(
    'a function without a folder',
    without('packages/api/health'),
    'function-without-folder',
    'project.yml:10 packages[0].functions[1].name',
    'doctl serverless undeploy',
  ),
  bad(
    'a function renamed in the file',
    project('name: health\n', 'name: status\n'),
    'function-renamed',
    'project.yml:10 packages[0].functions[1].name',
    'Rename the folder',
  ),
  bad(
    'a function whose folder is renamed',
    { ...without(MIGRATE), 'packages/ops/migration/index.ts': '' },
    'function-renamed',
    'project.yml:23 packages[1].functions[0].name',
    'Rename the folder',
  ),
  bad(
    'a function whose folder is moved to another package',
    { ...without('packages/api/health'), 'packages/ops/health/index.ts': '' },
    'function-moved',
    'project.yml:10 packages[0].functions[1].name',
    'Move the folder',
  ),
  bad(
    'a sequence with a folder',
    project('runtime: nodejs:24\n        web: false', 'sequence: [api/health]\n        web: false'),
    'sequence-with-folder',
    MIGRATE,
    'Delete the folder',
  ),

  bad(
    'a function with a folder and code elsewhere',
    project('        web: false\n', '        web: false\n        file: lib/other.js\n'),
    'file-with-folder',
    'project.yml:26 packages[1].functions[0].file',
    'Take file out',
  ),

  bad('a file in the folder of a package', { 'packages/api/README.md': '' }, 'loose-file', 'packages/api/README.md', 'Move it'),
  bad('a hidden file in the folder of a package', { 'packages/api/.gitkeep': '' }, 'loose-file', 'packages/api/.gitkeep', 'Move it'),
  bad('a function as a single file', { 'packages/api/user.js': '' }, 'loose-file', 'packages/api/user.js', 'Move it'),
  bad('an empty folder in a package', { 'packages/api/new/': '' }, 'empty-folder', 'packages/api/new', 'Delete it'),
  bad('an empty folder of a declared function', { ...without(MIGRATE), [`${MIGRATE}/`]: '' }, 'empty-folder', MIGRATE, 'put index.ts'),
  bad('node_modules in a package', { 'packages/api/node_modules/a/index.js': '' }, 'node-modules', 'packages/api/node_modules', 'Delete it'),
  bad('node_modules in packages', { 'packages/node_modules/a/index.js': '' }, 'node-modules', 'packages/node_modules', 'Delete it'),
  bad('node_modules in a function', { [`${MIGRATE}/node_modules/a/index.js`]: '' }, 'node-modules', `${MIGRATE}/node_modules`, 'Delete it'),
  bad('a package.json in a function', { [`${MIGRATE}/package.json`]: '{}' }, 'folder-settings', `${MIGRATE}/package.json`, 'Delete it'),
  bad('a tsconfig.json in a package', { 'packages/api/tsconfig.json': '{}' }, 'folder-settings', 'packages/api/tsconfig.json', 'Delete it'),
  bad('a tsconfig.json in packages', { 'packages/tsconfig.json': '{}' }, 'folder-settings', 'packages/tsconfig.json', 'Delete it'),
  bad('a symbolic link in a function', {}, 'symlink', `${MIGRATE}/link.ts`, 'Put the file itself', link(`${MIGRATE}/link.ts`)),
  bad('a symbolic link in a package', {}, 'symlink', 'packages/api/link', 'Put the file itself', link('packages/api/link')),
  bad('a function that is a symbolic link', {}, 'symlink', MIGRATE, 'Put the file itself', linkedFolder(MIGRATE)),
  bad('a package that is a symbolic link', {}, 'symlink', 'packages/ops', 'Put the file itself', linkedFolder('packages/ops')),
  bad('a folder of packages that is a symbolic link', {}, 'symlink', 'packages', 'Put the file itself', linkedFolder('packages')),
  bad('a bundle beside its source', { [`${MIGRATE}/index.js`]: '' }, 'product-beside-source', `${MIGRATE}/index.js`, 'build into dist/'),
  bad('a source map beside its source', { [`${MIGRATE}/index.js.map`]: '' }, 'product-beside-source', `${MIGRATE}/index.js.map`, 'build into dist/'),
  bad(
    'a declaration beside its source in lib',
    { 'lib/a/b.ts': '', 'lib/a/b.d.ts': '' },
    'product-beside-source',
    'lib/a/b.d.ts',
    'build into dist/',
  ),

  bad('no .include', { [`${MIGRATE}/.include`]: undefined }, 'include-missing', MIGRATE, 'Write .include'),
  bad(
    'a folder in the place of .include',
    { [`${MIGRATE}/.include`]: undefined, [`${MIGRATE}/.include/`]: '' },
    'include-no-file',
    `${MIGRATE}/.include`,
    'Write a file',
  ),
  bad('.include beside .ignore', { [`${MIGRATE}/.ignore`]: 'a\n' }, 'include-with-ignore', `${MIGRATE}/.ignore`, 'Delete .ignore'),
  bad('an .include of blanks', include(' \n\n'), 'include-empty', `${MIGRATE}/.include`, 'Name the files'),
  bad('a comment in .include', include('# bundle\ndist/index.js\n'), 'include-comment', `${MIGRATE}/.include:1`, 'Take the line out'),
  bad('a pattern in .include', include('dist/*.js\n../../../lib/zip/package.json\n'), 'include-glob', `${MIGRATE}/.include:1`, 'Name each file'),
  bad(
    'a path outside of lib in .include',
    include('dist/index.js\n../../../package.json\n'),
    'include-outside',
    `${MIGRATE}/.include:2`,
    'Move it to lib/',
  ),
  bad(
    'a path that leaves lib again in .include',
    include('dist/index.js\n../../../lib/../package.json\n'),
    'include-outside',
    `${MIGRATE}/.include:2`,
    'Move it to lib/',
  ),
  bad(
    'a path that leaves its folder and comes back in .include',
    include('../migrate/dist/index.js\n../../../lib/zip/package.json\n'),
    'include-detour',
    `${MIGRATE}/.include:1`,
    'as seen from the folder',
  ),
  bad(
    'a path with a detour inside its folder in .include',
    include('dist/../dist/index.js\n../../../lib/zip/package.json\n'),
    'include-detour',
    `${MIGRATE}/.include:1`,
    'as seen from the folder',
  ),
  bad('an absolute path in .include', include('dist/index.js\n/etc/hostname\n'), 'include-outside', `${MIGRATE}/.include:2`, 'Move it to lib/'),
  bad(
    'a file that is not there in .include',
    include('dist/index.js\n../../../lib/zap/package.json\n'),
    'include-not-found',
    `${MIGRATE}/.include:2`,
    'Correct the path',
  ),
  bad('a bundle that the build did not write', {}, 'include-not-built', 'packages/api/webhook/.include:1', 'let the build write', {
    stage: 'after-build',
  }),
  bad(
    'two files of one name in .include',
    { 'lib/zap/package.json': '{}', ...include('dist/index.js\n../../../lib/zip/package.json\n../../../lib/zap/package.json\n') },
    'include-collision',
    `${MIGRATE}/.include:3`,
    'Rename one',
  ),
  bad('one file alone in .include', include('dist/index.js\n'), 'include-single', `${MIGRATE}/.include:1`, 'Add a line'),
  bad('an ES module in .include', include('dist/index.mjs\n../../../lib/zip/package.json\n'), 'include-module', `${MIGRATE}/.include:1`, 'CommonJS'),
  bad('two files, none of them the entry', include('dist/index.js\ndist/more.js\n'), 'include-entry', `${MIGRATE}/.include`, 'Add a package.json'),
  bad('a main that is not deployed', manifest('{ "main": "index.js" }'), 'include-main', 'lib/own/package.json main', 'Write the path'),
  bad(
    'a package.json that makes ES modules',
    manifest('{ "main": "dist/index.js", "type": "module" }'),
    'include-type',
    'lib/own/package.json type',
    '"commonjs"',
  ),
  bad(
    'a package.json with dependencies',
    manifest('{ "main": "dist/index.js", "dependencies": { "pg": "8" } }'),
    'include-dependencies',
    'lib/own/package.json dependencies',
    'Take dependencies out',
  ),
  bad('a package.json that is no JSON', manifest('main: dist/index.js'), 'include-manifest', 'lib/own/package.json', 'Correct the JSON'),

  bad('a build script without its run bit', {}, 'not-executable', 'build.sh', 'chmod +x build.sh', withoutRunBit('build.sh')),
  bad('a build hook without its run bit', {}, 'not-executable', 'lib/build.sh', 'chmod +x lib/build.sh', withoutRunBit('lib/build.sh')),
  bad('no build hook', { 'lib/build.sh': undefined }, 'build-hook-missing', 'lib', 'Write lib/build.sh'),
  bad('a build hook for Windows only', { 'lib/build.sh': undefined, 'lib/build.cmd': '' }, 'build-hook-missing', 'lib', 'Write lib/build.sh'),
  bad(
    'a folder in the place of the build hook',
    { 'lib/build.sh': undefined, 'lib/build.sh/': '' },
    'build-hook-missing',
    'lib',
    'Write lib/build.sh',
  ),
  bad('a build hook that is a link to nothing', { 'lib/build.sh': undefined }, 'build-hook-missing', 'lib', 'Write lib/build.sh', {
    prepare: root => symlinkSync('../nowhere.sh', join(root, 'lib/build.sh')),
  }),
  bad(
    'a build hook that is a link to a script without its run bit',
    { 'lib/build.sh': undefined, 'hook.sh': '' },
    'not-executable',
    'lib/build.sh',
    'chmod',
    {
      prepare: root => symlinkSync('../hook.sh', join(root, 'lib/build.sh')),
    },
  ),
  bad('.include in lib', { 'lib/.include': 'zip\n' }, 'lib-include', 'lib/.include', 'Delete it'),
  bad('.ignore in lib', { 'lib/.ignore': 'zip\n' }, 'lib-include', 'lib/.ignore', 'Delete it'),
  bad('a mark of a finished build in lib', { 'lib/.built': '' }, 'build-marker', 'lib/.built', 'Delete it'),
  bad(
    'an archive of an earlier deploy before a remote build',
    { ...project('        web: false\n', '        web: false\n        remoteBuild: true\n'), [`${MIGRATE}/__deployer__.zip`]: '' },
    'leftover-archive',
    `${MIGRATE}/__deployer__.zip`,
    'Delete it',
  ),
]
