const pending = new Set<() => void>()

process.on('exit', () => {
  for (const cleanUp of pending) cleanUp()
})

/** Has something done when this process ends, unless the returned function is called before. One listener serves all. */
export function atExit(cleanUp: () => void): () => void {
  pending.add(cleanUp)
  return () => void pending.delete(cleanUp)
}
