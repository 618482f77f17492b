// In place of sonic-boom, which brings `assert` along: the same, loaded for the first line that is written.
let real
function SonicBoom(options) {
  real ??= require('sonic-boom')
  return new real(options)
}
// Before it is loaded nothing can be one.
Object.defineProperty(SonicBoom, Symbol.hasInstance, { value: one => real !== undefined && one instanceof real })
module.exports = SonicBoom
