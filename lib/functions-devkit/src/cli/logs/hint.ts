/** As project.yml has it. */
interface DeployedFunction {
  readonly qualifiedName: string
  readonly web: unknown
  readonly environment: Readonly<Record<string, unknown>>
}

/** Read by the platform's runtime: where it sends the lines of a function. */
export const FORWARDING = 'LOG_DESTINATIONS'

/** How to see the log of each function, for a person: the platform keeps only that of calls that are not over the web. */
export function logHint(functions: readonly DeployedFunction[]): string {
  const web = functions.filter(one => one.web !== false)
  const silent = web.filter(({ environment }) => !(FORWARDING in environment))
  const names = (some: readonly DeployedFunction[]) => some.map(({ qualifiedName }) => qualifiedName).join(', ') || 'none'
  return `Schedules, and calls with the account's key, are kept for some days:

  doctl serverless activations list --limit 20
  doctl serverless activations logs --follow --function ops/maintenance

Calls over the web leave no record and no line on the platform, unless it forwards them to a log service.
Forwarded now: ${names(web.filter(one => !silent.includes(one)))}. Not forwarded: ${names(silent)}.

To forward a function's lines (Papertrail, Datadog and Logtail are known to the platform):

  1. in .env, on one line:  ${FORWARDING}=[{"name":"logs","logtail":{"token":"…"}}]
  2. in project.yml, behind the other names in the function's environment:  ${FORWARDING}
  3. npm run deploy

What it costs: the runtime starts its containers through another process then, so that a new one takes about twice as
long before its first call, and a function has to be CommonJS, as these are. Without it the counters of the whole fleet
are in GET /health/metrics, and what is wrong comes as alerts.

On the server that npm start or npm run serve runs here, they are on standard output; with LOG_FILE in a file as well:

  tail -f logs/app.log | grep "Database connection"`
}
