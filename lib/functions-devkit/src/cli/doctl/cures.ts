/** How to get doctl. */
export const INSTALL = 'Install it: https://docs.digitalocean.com/reference/doctl/how-to/install/'

/** How to connect doctl to a namespace. A connection without an access key stopped working on 3 June 2026. */
export const CONNECT =
  'doctl auth init, doctl serverless install, doctl serverless key create --name <name> --expiration 30d --namespace <namespace>, doctl serverless connect <namespace> --access-key <key>'

/** How to get an API token that may manage triggers: an access key may not. */
export const TOKEN = 'doctl auth init with an API token that has the scope function:admin'
