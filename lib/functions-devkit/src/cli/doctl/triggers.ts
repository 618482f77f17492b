import * as z from 'zod/mini'
import { understood } from './deployed.ts'
import { askForJson, type Doctl } from './doctl.ts'

/** A trigger as the platform has it. */
export interface DeployedTrigger {
  readonly name: string
  /** `package/function` that it invokes. */
  readonly function: string
  readonly cron: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly enabled: boolean
}

const triggers = z.nullable(
  z.array(
    z.object({
      name: z.string(),
      function: z.optional(z.string()),
      is_enabled: z.boolean(),
      scheduled_details: z.nullish(z.object({ cron: z.optional(z.string()), body: z.nullish(z.record(z.string(), z.unknown())) })),
    }),
  ),
)

/** Returns every trigger of the namespace. Needs the API token. */
export function readTriggers(doctl: Doctl): Promise<DeployedTrigger[]> {
  return askForTriggers(doctl, 'list')
}

/** Returns one trigger; doctl shows it as a list of one. */
export async function readTrigger(doctl: Doctl, name: string): Promise<DeployedTrigger | undefined> {
  return (await askForTriggers(doctl, 'get', name))[0]
}

/** Enables or disables a trigger on the platform and returns its state afterwards. */
export async function switchTrigger(doctl: Doctl, name: string, enabled: boolean): Promise<DeployedTrigger | undefined> {
  return (await askForTriggers(doctl, enabled ? 'enable' : 'disable', name))[0]
}

async function askForTriggers(doctl: Doctl, ...action: readonly string[]): Promise<DeployedTrigger[]> {
  const words = ['serverless', 'triggers', ...action, '--output', 'json']
  return (understood(triggers, await askForJson(doctl, ...words), words) ?? []).map(
    ({ name, function: invoked = '', is_enabled: enabled, scheduled_details: details }) => ({
      name,
      // Some versions of the API put the namespace before it.
      function: invoked.split('/').slice(-2).join('/'),
      cron: details?.cron,
      body: details?.body ?? {},
      enabled,
    }),
  )
}
