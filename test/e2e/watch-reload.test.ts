import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { daemonStatus, watch } from './support/daemon.ts'
import { pins, raw, useLab, web } from './support/lb.ts'

/** The daemon follows its files, in all the ways in which files change. */

const lab = useLab({ backends: 3 })

/** Configurations that differ in the weight of the first target. */
const weighted = (first: number) => web(lab(), [first, 90 - first, 10])
const text = (first: number) => JSON.stringify(weighted(first), null, 2)
const shown = async () => /weight: (\d+)/.exec(await lab().lbMust(['show']))?.[1]
const applied = (trigger = 'file') => ({ event: 'reload', outcome: 'applied', trigger })

test('a file is applied at the start, and again when it is written, replaced, and taken away for a while', async () => {
  const file = lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab(), ['-c', file])
  expect(await shown()).toBe('50')
  lab().write('lb.yaml', weighted(20))
  expect(await daemon.line(applied())).toMatchObject({ generation: 2, instance: lab().instance })
  expect(await shown()).toBe('20')
  // As editors do it.
  renameSync(lab().write('.lb.yaml.swp', weighted(30)), file)
  await daemon.line(applied())
  expect(await shown()).toBe('30')
  renameSync(file, `${file}~`)
  expect(await daemon.line({ event: 'reload', outcome: 'invalid' })).toMatchObject({
    text: expect.stringMatching(/no such file/) as string,
  })
  expect(await shown()).toBe('30')
  writeFileSync(file, text(40))
  await daemon.line(applied())
  expect(await shown()).toBe('40')
  // Touched, but the same: nothing to do, and nothing said.
  const said = daemon.lines.length
  writeFileSync(file, text(40))
  daemon.signal('SIGHUP')
  expect(await daemon.line({ event: 'reload', trigger: 'signal' })).toMatchObject({ outcome: 'unchanged' })
  expect(daemon.lines.length).toBe(said + 1)
})

test('a folder of a Kubernetes ConfigMap: its link is swapped, again and again', async () => {
  const mount = join(lab().folder, 'config')
  mkdirSync(mount)
  const publish = (version: number, first: number) => {
    mkdirSync(join(mount, `..v${version}`))
    writeFileSync(join(mount, `..v${version}`, 'lb.yaml'), text(first))
    symlinkSync(`..v${version}`, join(mount, '..data_tmp'))
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
    if (version > 1) rmSync(join(mount, `..v${version - 1}`), { recursive: true })
  }
  publish(1, 11)
  symlinkSync('..data/lb.yaml', join(mount, 'lb.yaml'))
  for (const path of [mount, join(mount, 'lb.yaml')]) {
    await using daemon = await watch(lab(), ['-c', path])
    const first = path === mount ? 2 : 6
    for (let version = first; version < first + 4; version++) {
      publish(version, 10 + version)
      await daemon.line(applied())
      expect(await shown()).toBe(String(10 + version))
    }
  }
})

test('a folder that appears later, with files that come and go', async () => {
  const folder = join(lab().folder, 'later', 'conf.d')
  await using daemon = await watch(lab(), ['-c', folder])
  expect((await daemonStatus(lab())).files).toMatchObject({ state: 'invalid' })
  mkdirSync(folder, { recursive: true })
  const [one, two] = [join(folder, 'one.yaml'), join(folder, 'two.yaml')]
  writeFileSync(one, text(50))
  await daemon.line(applied())
  const other = web(lab(), [50, 40, 10])
  const [proxy] = other.proxies
  writeFileSync(
    two,
    JSON.stringify({
      ...other,
      proxies: [{ ...proxy, name: 'two', listen: { ...proxy!.listen, port: 81 } }],
    }),
  )
  await daemon.line(applied())
  expect(await lab().lbMust(['show'])).toContain('name: two')
  rmSync(two)
  await daemon.line(applied())
  expect(await lab().lbMust(['show'])).not.toContain('name: two')
  // The whole folder is another.
  renameSync(folder, `${folder}.old`)
  mkdirSync(folder)
  writeFileSync(one, text(25))
  await daemon.line(applied())
  expect(await shown()).toBe('25')
})

test('a bad file changes nothing, is reported once with its frame, and shows until it is right', async () => {
  const file = lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab(), ['-c', file])
  writeFileSync(file, text(50).replace('"version"', '"setings": {}, "version"'))
  const line = await daemon.line({ event: 'reload', outcome: 'invalid' })
  expect(line).toMatchObject({
    level: 'error',
    problems: [{ rule: 'unknown-key', hint: expect.stringMatching(/settings/) as string }],
  })
  expect(line['text']).toMatch(/lb\.yaml:\d+:\d+[^]*\^\^\^\^/)
  const { files, lastReload, agreement } = await daemonStatus(lab())
  expect(files).toMatchObject({ state: 'invalid', problem: line['text'] })
  expect(lastReload).toMatchObject({ outcome: 'invalid', generation: 1 })
  expect(agreement.state).toBe('in-sync')
  writeFileSync(file, text(50))
  await daemon.line({ event: 'reload', outcome: 'unchanged', trigger: 'file' })
  expect((await daemonStatus(lab())).files).toMatchObject({ state: 'valid', problem: null })
  expect(daemon.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  expect((await raw(lab())).generation).toBe(1)
  expect(pins(lab())).toContain(lab().instance)
})
