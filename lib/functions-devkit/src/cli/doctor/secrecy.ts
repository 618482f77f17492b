import type { Environment } from '../../../../functions-runtime/src/settings/settings.ts'

// Names of variables whose values are nobody's business; of a URL that is its password.
const SECRET = /PASSWORD|SECRET|KEY|TOKEN/
const URLS = /URL/
// Shorter ones are found in every text.
const SHORTEST = 4

/** Takes the secrets of an environment out of a text: the last fence, behind checks that print none. */
export function hidingSecrets(environment: Environment): (text: string) => string {
  const secrets = Object.entries(environment)
    .flatMap(([name, value = '']) => (SECRET.test(name) ? [value, ...value.split(/\s+/)] : URLS.test(name) ? [value, ...passwordsOf(value)] : []))
    .filter(secret => secret.length >= SHORTEST && secret.toLowerCase() !== 'none')
    .toSorted((one, other) => other.length - one.length)
  return text => secrets.reduce((left, secret) => left.replaceAll(secret, '[hidden]'), text)
}

function passwordsOf(url: string): string[] {
  const password = URL.parse(url)?.password ?? ''
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
