/**
 * Stands in for what `load` gives until somebody uses it. Whatever is done to it is done to the real one.
 */
exports.lazyObject = load => new Proxy({}, forwarding(load))
exports.lazyFunction = load => new Proxy(function () {}, forwarding(load))

/**
 * Gives `target` the members of `loaders`, each loaded on its first use, and all further members of what `rest` loads.
 */
exports.lazyMembers = (target, loaders, rest) => {
  for (const [name, load] of Object.entries(loaders)) {
    const found = value => Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true })
    Object.defineProperty(target, name, { get: () => found(load())[name], set: found, configurable: true, enumerable: true })
  }
  return Object.setPrototypeOf(target, exports.lazyObject(rest))
}

function forwarding(load) {
  const traps = {}
  for (const trap of Object.getOwnPropertyNames(Reflect)) traps[trap] = (_, ...given) => Reflect[trap](load(), ...given)
  // A member that is called finds the real one as its `this`.
  return { ...traps, get: (_, name) => Reflect.get(load(), name), set: (_, name, value) => Reflect.set(load(), name, value) }
}
