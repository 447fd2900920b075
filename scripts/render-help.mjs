// @ts-check
/**
 * Writes dist/help.json: what oclif prints for `lb --help` and `lb COMMAND --help` where stdout is
 * not a terminal. Run with stdout in a pipe, so that oclif sees none.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config, loadHelpClass, settings } from '@oclif/core'
import { root } from './setup/exec.mjs'

settings.enableAutoTranspile = false
const config = await Config.load({ root, userPlugins: false, devPlugins: false })
const Help = await loadHelpClass(config)

/** @param {readonly string[]} args */
async function rendered(args) {
  const write = process.stdout.write
  let text = ''
  process.stdout.write = (/** @type {string} */ chunk) => {
    text += chunk
    return true
  }
  try {
    await new Help(config, config.pjson.oclif.helpOptions).showHelp([...args])
  } finally {
    process.stdout.write = write
  }
  return text
}

/** @type {Record<string, string>} */
const texts = { '': await rendered([]) }
for (const { id, hidden } of config.commands) if (!hidden) texts[id] = await rendered([id, '--help'])
writeFileSync(join(root, 'dist/help.json'), JSON.stringify(texts))
