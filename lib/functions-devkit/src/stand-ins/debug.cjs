/* global process */
// In place of debug, which looks at the terminal and its colours: without the variable DEBUG it writes nothing.
const quiet = Object.assign(() => undefined, { enabled: undefined })
module.exports = process.env.DEBUG ? require('debug') : Object.assign(() => quiet, { enable: () => undefined, enabled: () => false })
