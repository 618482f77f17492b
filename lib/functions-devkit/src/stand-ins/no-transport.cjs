// In place of pino's transports, which are threads that read files of their own: in a bundle there are none.
module.exports = function transport() {
  throw new Error('There are no transports in the bundle: the log is written to standard output.')
}
