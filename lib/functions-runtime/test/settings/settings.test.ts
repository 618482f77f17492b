import { describe, expect, it } from 'vitest'
import { integer, oneOf, optionalText, requiredText } from '../../src/settings/schemas.ts'
import { defineSettings, readSettings, SettingIssues, SettingsError, variablesOf } from '../../src/settings/settings.ts'

const group = defineSettings(
  {
    NAME: requiredText({ minLength: 3 }),
    COUNT: integer({ min: 1, max: 9, fallback: 4 }),
    LEVEL: oneOf(['low', 'high'], 'low'),
    NOTE: optionalText(),
  },
  values => values,
)

function errorOf(groups: Parameters<typeof readSettings>[0], environment: Record<string, string>): SettingsError {
  try {
    readSettings(groups, environment)
  } catch (error) {
    if (error instanceof SettingsError) return error
  }
  throw new Error('the settings were accepted')
}

describe('readSettings', () => {
  it('reads values and fills in defaults', () => {
    expect(readSettings({ group }, { NAME: 'abc', LEVEL: ' HIGH ' }).group).toEqual({ NAME: 'abc', COUNT: 4, LEVEL: 'high', NOTE: undefined })
  })

  it.each(['', '   ', 'none', 'NONE', ' none '])('takes %j for a variable that is not set', value => {
    expect(readSettings({ group }, { NAME: 'abc', COUNT: value, NOTE: value }).group).toMatchObject({ COUNT: 4, NOTE: undefined })
  })

  it('keeps blanks inside a value that is text', () => {
    expect(readSettings({ group }, { NAME: ' a b ' }).group.NAME).toBe(' a b ')
  })

  it('reports every bad variable of every group at once and repeats no value', () => {
    const other = defineSettings({ PORT: integer({ min: 1, max: 2, fallback: 1 }) }, values => values)
    const environment = { NAME: 'x!', COUNT: 'secret-12', LEVEL: 'middle-secret', PORT: '99secret' }
    const error = errorOf({ group, other }, environment)
    expect(error.variables).toEqual(['NAME', 'COUNT', 'LEVEL', 'PORT'])
    expect(JSON.stringify(error) + error.message).not.toMatch(/secret|x!/)
  })

  it.each(['0', '10', '1.5', '-1', '1e0', '0x1', 'NaN', '४'])('refuses %j as a whole number from 1 to 9', value => {
    expect(errorOf({ group }, { NAME: 'abc', COUNT: value }).issues).toEqual([{ variable: 'COUNT', reason: 'is no whole number from 1 to 9' }])
  })

  it('says what a word means that belongs elsewhere', () => {
    const words = defineSettings({ MODE: oneOf(['on', 'off'], 'on', { yes: 'is yes, which is not read: write on' }) }, values => values)
    expect(words.parse({ MODE: ' Yes' }).issues).toEqual([{ variable: 'MODE', reason: 'is yes, which is not read: write on' }])
    expect(words.parse({ MODE: 'constructor' }).issues).toEqual([{ variable: 'MODE', reason: 'is none of on, off' }])
  })

  it('reports what a group finds wrong between its variables', () => {
    const pair = defineSettings({ A: optionalText(), B: optionalText() }, () => {
      throw new SettingIssues([{ variable: 'B', reason: 'contradicts A' }])
    })
    expect(() => readSettings({ pair }, {})).toThrow(
      expect.objectContaining({ code: 'settings-invalid', issues: [{ variable: 'B', reason: 'contradicts A' }] }),
    )
  })

  it('lets an error pass that is no complaint about a variable', () => {
    const broken = defineSettings({}, () => {
      throw new TypeError('a bug')
    })
    expect(() => readSettings({ broken }, {})).toThrow(TypeError)
  })

  it('names every variable that groups read', () => {
    expect(variablesOf({ group, same: group })).toEqual(['COUNT', 'LEVEL', 'NAME', 'NOTE'])
  })
})
