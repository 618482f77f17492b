import { pathToFileURL } from 'node:url'

// Runs the compiler that is named first, with the arguments behind it, until standard input closes: by itself it would go on when
// the server is killed.
const [node = '', , compiler = '', ...flags] = process.argv
process.stdin.resume().once('end', () => process.exit())
process.argv = [node, compiler, ...flags]
await import(pathToFileURL(compiler).href)
