import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: functions-devkit bundle [--metafile=FILE] [--readable=FOLDER] [--watch=FOLDER]

  Bundles every function that project.yml names, without any check. build.sh calls it.
  --metafile   write what each bundle is made of to this file
  --readable   write bundles that can be read to this folder; those that are deployed stay as they are
  --watch      write each version of a function to this folder: go on until standard input closes, and build what changes

Exit status: 0 built, 1 not built, 2 wrong usage.`,
  options: { metafile: { type: 'string' }, readable: { type: 'string' }, watch: { type: 'string' } },
  read: ({ values }) => values,
})
