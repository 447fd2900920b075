#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)
const args = process.argv.slice(2)

if (args[0] === '--version') {
  // What oclif prints, without loading it: half of the time, and scripts ask often.
  const { name, version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  console.log(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}`)
} else {
  const { main } = await import('../dist/cli/main.js')
  await main(args, fileURLToPath(root))
}
