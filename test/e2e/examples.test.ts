import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/lab/run.ts'
import { useLab } from './support/lb.ts'

/** Every example is valid, and makes a plan on any machine. */

const lab = useLab({ backends: 1 })
const examples = readdirSync(join(root, 'examples')).map((name) => join(root, 'examples', name))

test('there are examples in every format', () => {
  for (const extension of ['.yaml', '.json', '.edn']) {
    expect(examples.filter((file) => file.endsWith(extension)).length).toBeGreaterThan(0)
  }
})

test.for(examples)('%s is valid and can be planned', async (file) => {
  expect(await lab().lbMust(['validate', '-c', file])).toMatch(/^Valid/)
  lab().write('nothing.json', await lab().lbMust(['show', '--json']))
  // The names of examples are not those of machines that there are.
  const plan = await lab().lbMust(['plan', '-c', file, '--against', 'nothing.json', '--allow-unresolved'])
  expect(plan).toMatch(/^Plan: [1-9][0-9]* to add, [0-9] to change, 0 to destroy\.$/m)
  expect(plan).toMatch(/# proxy\S+ will be created/)
})
