// In place of what writes pino's lines to several streams at once.
module.exports = function multistream() {
  throw new Error('There is no multistream in the bundle: the log is written to standard output.')
}
