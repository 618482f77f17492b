/** Returns the secrets of this machine for the terminal, each under the variable that the functions read it from. */
export function describeSecrets({
  apiKey,
  healthKey,
  webhookSecrets,
}: {
  readonly apiKey: string
  readonly healthKey: string
  /** By variable. */
  readonly webhookSecrets: Readonly<Record<string, string>>
}): string {
  const all = [
    ['API key', apiKey],
    ['HEALTH_KEY', healthKey],
    ...Object.entries(webhookSecrets).sort(([one], [other]) => (one < other ? -1 : 1)),
  ] as const
  const width = Math.max(...all.map(([name]) => name.length))
  return ['Secrets of this machine alone:', ...all.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}
