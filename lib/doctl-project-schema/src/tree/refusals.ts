/**
 * Every reason for which a tree is refused: what is wrong, and what to do instead.
 * `{}` stands for the detail that belongs to the case: a name or a path.
 */
export const treeRefusals = {
  // The project file
  'project-file-missing': ['there is no project.yml, so every folder under packages/ would be deployed, public', 'Write a project.yml'],
  'second-project-file': [
    'only project.yml is read; this file is passed over in silence',
    'Delete it, or give it a name that does not begin with project',
  ],
  'packages-folder-missing': ['there is no folder packages/, and the functions of project.yml are looked for in it', 'Create packages/{}/index.ts'],

  // What project.yml declares against what is there
  'package-undeclared': [
    'project.yml does not declare the package, and an undeclared package is deployed, public, with every folder in it',
    'Add "- name: {}" and its functions to packages in project.yml, or move the folder out of packages/',
  ],
  'package-without-folder': ['the package has no folder packages/{}', 'Create it with a folder for each function, or take the package out'],
  'package-renamed': ['the package has no folder of this name, and packages/{} is declared by none', 'Rename the folder, or write name: {}'],
  'function-undeclared': [
    'project.yml does not declare the function, and an undeclared folder is deployed, public and without its settings',
    'Add "- name: {}" with runtime and web to the functions of its package in project.yml, or move the folder out of packages/',
  ],
  'function-without-folder': [
    'the function has no folder {}',
    'Create it with index.ts and .include, or take the function out; doctl serverless undeploy removes one that is deployed already',
  ],
  'function-renamed': [
    'the function has no folder of this name, and packages/{} is declared by none',
    'Rename the folder, or write its name here; doctl serverless undeploy removes what is deployed under the old name',
  ],
  'function-moved': [
    'the function has no folder in this package, but there is packages/{}',
    'Move the folder, or declare the function in its package',
  ],
  'sequence-with-folder': [
    'the function is a sequence or an image, and has no folder',
    'Delete the folder, or take sequence or docker out of project.yml',
  ],

  'file-with-folder': [
    'file names other code than the folder packages/{}, and it is deployed in place of it',
    'Take file out, or move the folder out of packages/',
  ],

  // What must not lie under packages/
  'loose-file': [
    'a file in the folder of a package is deployed as a function of its own, or stops the deploy',
    'Move it into the folder of a function, or out of packages/',
  ],
  'empty-folder': ['an empty folder in a package stops the whole deploy', 'Delete it, or put index.ts and .include into it'],
  'node-modules': ['node_modules under packages/ is deployed, or stops the deploy', 'Delete it, and install in the root of the project'],
  'folder-settings': [
    '{} under packages/ changes how the files below it are bundled, and package.json makes the deployer install packages',
    'Delete it; keep settings in the root of the project',
  ],
  symlink: ['the deployer refuses a symbolic link, or packs it as a link to nothing', 'Put the file itself in its place'],
  'product-beside-source': [
    '{} beside it has the same name: one of them is a product of a build that may be out of date',
    'Delete it, and build into dist/',
  ],

  // .include
  'include-missing': ['without .include the whole folder is deployed: sources, tests and all', 'Write .include with the files to deploy, one a line'],
  'include-no-file': ['.include is a folder', 'Write a file with the paths to deploy, one a line'],
  'include-with-ignore': ['the deployer gives up when a function has both .include and .ignore', 'Delete .ignore'],
  'include-empty': ['.include names nothing', 'Name the files to deploy, one a line'],
  'include-comment': ['.include knows no comments: the line is taken for a path', 'Take the line out'],
  'include-glob': ['.include knows no patterns: the line is taken for a path', 'Name each file, or the folder around them'],
  'include-outside': ['{} lies neither in the folder of the function nor in lib/', 'Move it to lib/ and write ../../../lib/...'],
  'include-detour': [
    'the deployer takes no line with .. in it, except ../../../lib/...',
    'Write the path without .., as seen from the folder of the function',
  ],
  'include-not-found': ['{} is not there', 'Correct the path, or create what it names'],
  'include-not-built': ['{} is not there although the build is done', 'Correct the path, or let the build write to it'],
  'include-collision': ['another line puts a file of the same name into the archive: {}', 'Rename one, or take one line out'],
  'include-single': [
    'one file alone is evaluated without an archive: a second main in it may run in place of yours, and it is loaded twice when it throws',
    'Add a line with a package.json that names the file as main, as in ../../../lib/zip/package.json',
  ],
  'include-module': ['{} is an ES module, which not every runtime starts', 'Bundle to CommonJS and name a file that ends in .js'],
  'include-entry': ['nothing in the archive says which file to start', 'Add a package.json whose main is one of the files, or name an index.js'],
  'include-main': ['its main is not among what .include names', 'Write the path of the bundle, as it stands in .include'],
  'include-type': ['a type other than commonjs makes the bundle an ES module, which not every runtime starts', 'Write "type": "commonjs"'],
  'include-dependencies': [
    'a runtime would try to install the dependencies when the function starts',
    'Take dependencies out: the bundle holds them',
  ],
  'include-manifest': ['it is not a package.json: the JSON cannot be read', 'Correct the JSON'],

  // The build
  'not-executable': ['the script lacks its run bit, and the deployer ends with status 126', 'Run chmod +x {}, and git update-index --chmod=+x {}'],
  'build-hook-missing': [
    'nothing builds what {} names: lib/ has neither build.sh nor package.json, so the deployer would take what lies there or fail',
    'Write lib/build.sh, with its run bit',
  ],
  'lib-include': ['{} belongs into the folder of a function; directly in lib/ it stops the deploy', 'Delete it'],
  'build-marker': ['an incremental deploy takes .built for a finished build and skips it', 'Delete it'],
  'leftover-archive': ['a remote build stops on an archive that an earlier deploy has left', 'Delete it'],
} as const satisfies Record<string, readonly [reason: string, fix: string]>

/** The stable name of a reason to refuse a tree. */
export type TreeRefusalCode = keyof typeof treeRefusals
