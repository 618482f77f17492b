import { requiredText } from '../schemas.ts'
import { defineSettings } from '../settings.ts'

export interface ApiSettings {
  readonly key: string
}

/** Who may call the API. Sixteen characters are the least that cannot be tried out over the network. */
export const apiSettings = defineSettings({ API_KEY: requiredText({ minLength: 16 }) }, (values): ApiSettings =>
  Object.freeze({ key: values.API_KEY }),
)
