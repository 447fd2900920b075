// @ts-check
/**
 * Plants faults one by one, in TypeScript and in C at once, and counts those that no test notices:
 *
 *   npm run mutate -- [--count 60] [--c-count 30] [--seed 1] [--file src/engine/plan] [--json FILE]
 *
 * Survivors are printed as a diff. Those that change nothing anybody could notice are listed, with
 * the reason, in test/mutation/equivalent.json, and do not count.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildsIn, cMutants, datapathTests, codeIn } from './mutate/c.mjs'
import { inRandomOrder, planted } from './mutate/sample.mjs'
import { firstFailure, inScratchCopy } from './mutate/scratch.mjs'
import { isProgram, isRefused, typescriptMutants, unitTests } from './mutate/typescript.mjs'
import { ensureBpffs } from './setup/bpffs.mjs'
import { root, script, SetupError, statusOf } from './setup/exec.mjs'

/** The least share of faults that tests have to notice. */
const GOAL = 0.9

/** @typedef {import('./mutate/sample.mjs').Mutant} Mutant */
/** @typedef {{ file: string, before: string, after: string, why: string }} Equivalent */
/** @typedef {{ file: string, line: number, operator: string, before: string, after: string, noticedBy: string | null }} Outcome */

/**
 * One language: its faults, whether the copy with one is a program, whether a compiler refuses what no
 * test noticed, and the tests to run, in order.
 * @typedef {{
 *   name: string,
 *   count: number,
 *   mutants: Mutant[],
 *   isProgram: (folder: string, source: string) => boolean,
 *   isRefused?: (folder: string, file: string) => Promise<boolean>,
 *   tests: (file: string) => readonly string[][],
 * }} Language
 */

/** @type {Equivalent[]} */
const equivalent = JSON.parse(readFileSync(join(root, 'test/mutation/equivalent.json'), 'utf8'))

/**
 * @param {string} folder
 * @param {readonly string[][]} runs
 */
async function noticed(folder, runs) {
  for (const args of runs) {
    const failure = await firstFailure(folder, args)
    if (failure !== null) return failure
  }
  return null
}

/**
 * Tests that fail anyway would notice every fault.
 * @param {Language} language
 * @param {string} folder
 */
async function mustPass({ count, mutants, tests }, folder) {
  const runs = new Set(mutants.slice(0, count).flatMap(({ file }) => tests(file).slice(0, 1).map(String)))
  const broken = await noticed(
    folder,
    [...runs].map((run) => run.split(',')),
  )
  if (broken !== null) throw new SetupError(`Fails without a fault in it: ${broken}`)
}

/**
 * @param {Language} language
 * @param {string} folder
 */
async function judge({ name, count, mutants, isProgram, isRefused, tests }, folder) {
  /** @type {Outcome[]} */
  const outcomes = []
  for (const mutant of mutants) {
    if (outcomes.length === count) break
    const { file, operator } = mutant
    const original = readFileSync(join(folder, file), 'utf8')
    const { source, line, before, after } = planted(original, mutant)
    if (equivalent.some((known) => known.file === file && known.before === before && known.after === after)) {
      continue
    }
    writeFileSync(join(folder, file), source)
    try {
      if (!isProgram(folder, source)) continue
      const noticedBy = await noticed(folder, tests(file))
      if (noticedBy === null && (await isRefused?.(folder, file))) continue
      outcomes.push({ file, line, operator, before, after, noticedBy })
      const what = `${name} ${outcomes.length}/${count}: ${file}:${line} ${operator}`
      console.log(
        noticedBy === null
          ? `SURVIVED ${what}\n  - ${before}\n  + ${after}`
          : `noticed  ${what}: ${noticedBy}`,
      )
    } finally {
      writeFileSync(join(folder, file), original)
    }
  }
  return outcomes
}

/**
 * @param {string} name
 * @param {readonly Outcome[]} outcomes
 */
function score(name, outcomes) {
  const found = outcomes.filter(({ noticedBy }) => noticedBy !== null).length
  if (outcomes.length === 0) return true
  const percent = ((100 * found) / outcomes.length).toFixed(1)
  console.log(`${name}: ${found} of ${outcomes.length} faults noticed (${percent} %)`)
  return found >= GOAL * outcomes.length
}

await script(async () => {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '60' },
      'c-count': { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
      file: { type: 'string', default: '' },
      json: { type: 'string' },
    },
  })
  const ready = await statusOf(process.execPath, ['scripts/setup.mjs', '--test'])
  if (ready !== 0) return ready
  if (process.getuid?.() !== 0) throw new SetupError('Tests of the data plane need root')
  await ensureBpffs()
  const seed = Number(values.seed)
  console.log(`Seed ${seed}`)

  const sample = (/** @type {Mutant[]} */ all) =>
    inRandomOrder(
      all.filter(({ file }) => file.includes(values.file)),
      seed,
    )
  const unchanged = await inScratchCopy(2, (folder) => Promise.resolve(codeIn(folder)))
  /** @type {Language[]} */
  const languages = [
    {
      name: 'TypeScript',
      count: Number(values.count),
      mutants: sample(typescriptMutants()),
      isProgram: (_folder, source) => isProgram(source),
      isRefused,
      tests: await unitTests(),
    },
    {
      name: 'C',
      count: Number(values['c-count']),
      mutants: sample(cMutants()),
      // The compiler proves some to be equivalent.
      isProgram: (folder) => buildsIn(folder) && !codeIn(folder).equals(unchanged),
      tests: () => datapathTests,
    },
  ]
  const outcomes = await inScratchCopy(0, (first) =>
    inScratchCopy(1, async (second) => {
      const folders = [first, second]
      /** @param {(language: Language, folder: string) => Promise<Outcome[] | void>} work */
      const atOnce = (work) =>
        Promise.all(languages.map((language, i) => work(language, folders[i] ?? first)))
      await atOnce(mustPass)
      return atOnce(judge)
    }),
  )
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(outcomes.flat(), null, 2)}\n`)
  const good = languages.map(({ name }, number) => score(name, outcomes[number] ?? []))
  return good.every(Boolean) ? 0 : 1
})
