import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../support/bundle.ts'
import { OBJECT_PATH } from '../support/kernel-contract.ts'
import type { Heap } from './programs/many-applies.ts'
import { changingConfig, PERIOD } from './support/changing-config.ts'
import { expediteGracePeriods } from './support/expedite.ts'
import { instanceOf, type Instance } from './support/instance.ts'
import { kernelObjects, strays, type KernelObject } from './support/kernel-objects.ts'
import { pins, useLab } from './support/lb.ts'
import { makeMemoryGroup, type MemoryGroup } from './support/memory-group.ts'
import { until } from './support/until.ts'

/** However often is applied and rolled back, nothing stays behind: no descriptor, object, pin or memory. */

const lab = useLab({ clients: 2, backends: 1 })

let group: MemoryGroup
let hurry: AsyncDisposable
beforeAll(async () => {
  group = makeMemoryGroup()
  hurry = await expediteGracePeriods()
})
afterAll(async () => {
  await hurry[Symbol.asyncDispose]()
  group[Symbol.dispose]()
})

/** Growth that is noise, in bytes; over 4,200 applies. */
const TOLERANCE = { resident: 3 << 18, heap: 1 << 19, external: 1 << 18, kernel: 1 << 17 }

/** What must not grow, as it was after some operations. */
interface Sample {
  readonly descriptors: readonly string[]
  /** Tables that are mapped into memory. */
  readonly mapped: number
  readonly instance: Instance
  /** In bytes. */
  readonly memory: Readonly<Record<keyof typeof TOLERANCE, number>>
}

/** The program that applies and rolls back through the library. */
function startProgram() {
  // Compiled code, and what it knows of itself, grows for long; a heap without it is still.
  const flags = ['--expose-gc', '--jitless', '--no-flush-bytecode', '--max-semi-space-size=2']
  const program = [bundle('test/e2e/programs/many-applies.ts'), lab().instance, OBJECT_PATH]
  const child = lab().lb.spawn([...group.prefix, process.execPath, ...flags, ...program], {
    env: { MALLOC_ARENA_MAX: '1', NODE_OPTIONS: undefined },
  })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const pid = child.pid!
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    pid,
    /** Has it do so many operations; gives what it has then. */
    async run(operations: number): Promise<Sample> {
      child.stdin?.write(`${operations}\n`)
      const line = await lines.next()
      if (line.done === true) throw new Error(`the program ended: ${errors}`)
      const { used, external } = JSON.parse(line.value) as Heap
      return {
        descriptors: readdirSync(`/proc/${pid}/fd`).sort(),
        mapped: (readFileSync(`/proc/${pid}/maps`, 'utf8').match(/bpf/g) ?? []).length,
        instance: await instanceOf(lab()),
        memory: { resident: resident(pid), heap: used, external, kernel: await settled(group) },
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const gone = once(child, 'exit')
      child.stdin?.end()
      await gone
    },
  }
}

/** Bytes of memory that only this process has. */
function resident(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Private_Dirty:\s+([0-9]+) kB$/m.exec(text)?.[1]) * 1024
}

/** The least of some readings: what was freed goes a moment later, and is counted in batches. */
async function settled(memory: MemoryGroup): Promise<number> {
  let least = memory.kernelBytes()
  for (let reading = 0; reading < 10; reading += 1) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    least = Math.min(least, memory.kernelBytes())
  }
  return least
}

/** The least of each kind of memory. */
function least(samples: readonly Sample[]): Sample['memory'] {
  const of = (kind: keyof typeof TOLERANCE) => Math.min(...samples.map(({ memory }) => memory[kind]))
  return { resident: of('resident'), heap: of('heap'), external: of('external'), kernel: of('kernel') }
}

async function expectNoStrays(known: readonly KernelObject[], pid: number): Promise<void> {
  const find = () => strays(known, { folder: pins(lab()), pid })
  // Other tests make and take down theirs meanwhile.
  await until('there are none', async () => (await find()).length === 0).catch(() => undefined)
  expect(await find()).toEqual([])
}

test('10,000 applies and rollbacks by one process', { timeout: 1_800_000 }, async () => {
  const known = await kernelObjects()
  await using program = startProgram()
  const samples = [await program.run(2000)]
  for (let operations = 2000; operations < 10_000; operations += 500) samples.push(await program.run(500))

  const { instance, descriptors } = samples[0]!
  for (const sample of samples) {
    expect(sample.instance).toEqual({
      ...instance,
      mapBytes: expect.closeTo(instance.mapBytes, -5) as number,
    })
    expect(sample.descriptors).toEqual(descriptors)
    expect(sample.mapped).toBe(0)
  }
  await expectNoStrays(known, program.pid)
  const [early, late] = [least(samples.slice(0, 3)), least(samples.slice(-3))]
  for (const [kind, tolerance] of Object.entries(TOLERANCE) as [keyof typeof TOLERANCE, number][]) {
    expect(late[kind] - early[kind], `growth of ${kind} memory`).toBeLessThan(tolerance)
  }
})

test(
  '250 applies and rollbacks by the command, with 20,000 targets in all',
  { timeout: 900_000 },
  async () => {
    const options = { wrap: group.prefix }
    const round = async (from: number): Promise<Instance & { readonly kernel: number }> => {
      for (let count = from; count < from + PERIOD; count += 1) {
        lab().write('lb.json', changingConfig(count, 110))
        await lab().lbMust(['apply', '-c', 'lb.json', '--yes', '--force', '--keep', '3'], options)
        if (count % 5 > 2) await lab().lbMust(['rollback'], options)
      }
      return { ...(await instanceOf(lab())), kernel: await settled(group) }
    }
    const known = await kernelObjects()
    const before = await round(0)
    for (const from of [PERIOD, 2 * PERIOD]) {
      const now = await round(from)
      expect(now).toEqual({
        ...before,
        mapBytes: expect.closeTo(before.mapBytes, -5) as number,
        kernel: expect.any(Number) as number,
      })
      expect(now.kernel - before.kernel).toBeLessThan(TOLERANCE.kernel)
    }
    await expectNoStrays(known, process.pid)
  },
)
