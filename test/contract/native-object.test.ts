import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BpfMap, writeInners, BpfObject, BpfProgram } from '../../native/index.ts'
import { compileBpf, failure, pinFolder, temporaryFolder, toU32, u32, u64 } from '../support/native.ts'

const ETHERNET = new Uint8Array(64)
const XDP_PASS = 2
const XDP_TX = 3

describe('loading', () => {
  test('creates the maps and programs of the file', () => {
    using object = BpfObject.load(compileBpf('native'))
    expect(object.programNames).toEqual(['xdp_count', 'xdp_rewrite', 'xdp_drop', 'tc_count', 'tc_pass'])
    const named = object.mapNames.filter((name) => !name.includes('.'))
    expect([...named].sort()).toEqual(['counters', 'events', 'seen', 'tables'])
    using tables = object.map('tables')
    expect(tables.info).toMatchObject({ type: 'array_of_maps', keySize: 4, valueSize: 4, maxEntries: 4 })
    using program = object.program('tc_count')
    using counters = object.map('counters')
    const { id, tag, verifiedInsns, ...rest } = program.info
    expect(rest).toMatchObject({ type: 'sched_cls', name: 'tc_count' })
    expect(id).toBeGreaterThan(0)
    expect(tag).toMatch(/^[0-9a-f]{16}$/)
    expect(verifiedInsns).toBeGreaterThan(5)
    expect(rest.mapIds).toContain(counters.info.id)
  })

  test('loads only the programs named', () => {
    using object = BpfObject.load(compileBpf('native'), { programs: ['xdp_drop', 'tc_pass'] })
    expect(object.programNames).toEqual(['xdp_drop', 'tc_pass'])
    expect(failure(() => object.program('xdp_count'))).toMatchObject({
      code: 'ENOENT',
      message: `take program 'xdp_count', which was not loaded: No such file or directory (ENOENT)`,
    })
    using none = BpfObject.load(compileBpf('native'), { programs: [] })
    expect(none.programNames).toEqual([])
  })

  test('takes maps that exist already', () => {
    using seen = BpfMap.create({ type: 'hash', name: 'mine', keySize: 4, valueSize: 8, maxEntries: 99 })
    using table = BpfMap.create({ type: 'hash', name: 'table', keySize: 4, valueSize: 4, maxEntries: 1000 })
    using tables = BpfMap.create({
      type: 'array_of_maps',
      name: 'tables',
      keySize: 4,
      valueSize: 4,
      maxEntries: 4,
      inner: table,
    })
    table.update(u32(0), u32(XDP_TX))
    writeInners([{ outer: tables, key: u32(0), inner: table }])
    using object = BpfObject.load(compileBpf('native'), { reuse: { seen, tables } })
    expect(object.mapNames).toEqual(expect.arrayContaining(['counters', 'seen', 'tables']))
    using again = object.map('seen')
    expect(again.info).toEqual(seen.info)
    using program = object.program('xdp_count')
    expect(program.info.mapIds).toContain(tables.info.id)
    expect(program.testRun({ data: ETHERNET }).retval).toBe(XDP_TX)
  })

  test('gives maps other sizes', () => {
    using object = BpfObject.load(compileBpf('native'), { maxEntries: { seen: 1234, events: 4096 } })
    using seen = object.map('seen')
    using events = object.map('events')
    expect(seen.info.maxEntries).toBe(1234)
    expect(events.info.maxEntries).toBe(4096)
  })

  test('sets constants', () => {
    const path = compileBpf('native')
    using asWritten = BpfObject.load(path)
    using pass = asWritten.program('xdp_count')
    expect(pass.testRun({ data: ETHERNET }).retval).toBe(XDP_PASS)
    using changed = BpfObject.load(path, { constants: { verdict: u32(XDP_TX), limits: u64(0) } })
    using transmit = changed.program('xdp_count')
    expect(transmit.testRun({ data: ETHERNET }).retval).toBe(XDP_TX)
  })

  test('leaves maps and programs that live on', () => {
    const object = BpfObject.load(compileBpf('native'))
    using program = object.program('xdp_count')
    using counters = object.map('counters')
    object.close()
    object.close()
    program.testRun({ data: ETHERNET, repeat: 3 })
    expect(counters.lookup(u32(0))).toEqual(u64(3))
    expect(failure(() => object.map('counters'))).toMatchObject({
      code: 'EBADF',
      message: 'use an object after it was closed: Bad file descriptor (EBADF)',
    })
    expect(failure(() => object.mapNames).code).toBe('EBADF')
  })
})

describe('refusals', () => {
  const load = (options: Parameters<typeof BpfObject.load>[1]) =>
    failure(() => BpfObject.load(compileBpf('native'), options))

  test('of names that the file does not have', () => {
    using map = BpfMap.create({ type: 'hash', name: 'mine', keySize: 4, valueSize: 8, maxEntries: 99 })
    expect(load({ reuse: { nothing: map } })).toMatchObject({
      code: 'ENOENT',
      message: `find map 'nothing' in object 'native': No such file or directory (ENOENT)`,
    })
    expect(load({ maxEntries: { nothing: 5 } }).code).toBe('ENOENT')
    expect(load({ programs: ['nothing'] })).toMatchObject({
      code: 'ENOENT',
      message: `find program 'nothing' in object 'native': No such file or directory (ENOENT)`,
    })
    expect(load({ constants: { nothing: u32(1) } })).toMatchObject({
      code: 'ENOENT',
      message: `find constant 'nothing' in .rodata of object 'native': No such file or directory (ENOENT)`,
    })
    using object = BpfObject.load(compileBpf('native'))
    expect(failure(() => object.map('nothing')).code).toBe('ENOENT')
    expect(failure(() => object.program('nothing')).code).toBe('ENOENT')
  })

  test('of constants of another size', () => {
    const error = load({ constants: { limits: u32(1) } })
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toBe(`constant 'limits' of object 'native' must have 8 bytes, not 4`)
  })

  test.each([
    ['type', { type: 'array' }],
    ['key', { keySize: 8 }],
    ['value', { valueSize: 4 }],
  ] as const)('of a map to reuse with another %s', (_, wrong) => {
    const spec = { type: 'hash', name: 'mine', keySize: 4, valueSize: 8, maxEntries: 9 } as const
    if (_ === 'key') {
      using map = BpfMap.create({ ...spec, ...wrong })
      expect(load({ reuse: { seen: map } })).toMatchObject({ code: 'EINVAL', syscall: 'bpf_map__reuse_fd' })
      return
    }
    using map = BpfMap.create({ ...spec, ...wrong })
    expect(load({ reuse: { seen: map } }).message).toContain(`reuse map 'mine'`)
  })

  test('of files that are none', () => {
    const path = join(temporaryFolder(), 'no.bpf.o')
    expect(failure(() => BpfObject.load(path))).toMatchObject({
      code: 'ENOENT',
      syscall: 'bpf_object__open',
    })
    expect(failure(() => BpfObject.load(path)).message).toContain(`open object file '${path}'`)
    writeFileSync(path, 'this is not ELF')
    const error = failure(() => BpfObject.load(path))
    expect(error.code).toBe('LIBBPF_FORMAT')
    expect(error.message).toMatch(/open object file .*: .*\(LIBBPF_FORMAT\): .*ELF/)
  })

  test('of maps that the kernel cannot create carry what libbpf says', () => {
    const error = load({ maxEntries: { seen: 0 } })
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'bpf_object__load' })
    expect(error.message).toMatch(/^load object 'native': Invalid argument \(EINVAL\): .*map 'seen'/)
    expect(error.verifierLog).toBeUndefined()
  })

  test('by the verifier carry the end of its log', () => {
    const error = failure(() => BpfObject.load(compileBpf('refused')))
    expect(error).toMatchObject({ code: 'EACCES', errno: 13, syscall: 'bpf(BPF_PROG_LOAD)' })
    expect(error.message).toMatch(
      /^load object 'refused': Permission denied \(EACCES\): prog 'xdp_unchecked': BPF program load failed/,
    )
    expect(error.verifierLog).toMatch(/invalid access to packet/)
    expect(error.verifierLog!.split('\n').length).toBeLessThanOrEqual(20)
    expect(error.message).not.toContain('processed')
  })
})

describe('programs', () => {
  test('are pinned and found again', () => {
    const path = join(pinFolder(), 'program')
    using object = BpfObject.load(compileBpf('native'))
    using program = object.program('xdp_drop')
    program.pin(path)
    using pinned = BpfProgram.openPinned(path)
    using byId = BpfProgram.fromId(program.info.id)
    expect(pinned.info).toEqual(program.info)
    expect(byId.info).toEqual(program.info)
    expect(pinned.fd).not.toBe(program.fd)
    expect(failure(() => BpfMap.openPinned(path)).code).toBe('EINVAL')
    expect(failure(() => BpfProgram.fromId(4294967295))).toMatchObject({
      code: 'ENOENT',
      syscall: 'bpf(BPF_PROG_GET_FD_BY_ID)',
    })
  })

  test('tell of use after closing', () => {
    using object = BpfObject.load(compileBpf('native'))
    const program = object.program('xdp_drop')
    program.close()
    program.close()
    const uses = [() => program.info, () => program.fd, () => program.testRun({ data: ETHERNET })]
    for (const use of uses) expect(failure(use).code).toBe('EBADF')
  })
})

describe('test runs', () => {
  test('of XDP give verdict, packet and context', () => {
    using object = BpfObject.load(compileBpf('native'))
    using program = object.program('xdp_rewrite')
    // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
    const context = u32(0, 64, 0, 1, 0, 0)
    const result = program.testRun({ data: new Uint8Array(64).fill(3), context })
    expect(result.retval).toBe(XDP_TX)
    expect(result.data).toEqual(new Uint8Array(60).fill(3).fill(6, 0, 1))
    expect(toU32(result.context!).slice(0, 4)).toEqual([0, 60, 0, 1])
    expect(result.durationNs).toBeGreaterThan(0)
    expect(program.testRun({ data: ETHERNET }).context).toBeUndefined()
  })

  test('of tc programs read and write struct __sk_buff', () => {
    using object = BpfObject.load(compileBpf('native'))
    using program = object.program('tc_count')
    const context = new Uint8Array(192)
    // mark is the third field of struct __sk_buff, priority the ninth.
    context.set(u32(41), 8)
    const result = program.testRun({ data: ETHERNET, context })
    expect(result.retval).toBe(0)
    expect(result.data).toEqual(ETHERNET)
    expect(toU32(result.context!)[8]).toBe(42)
  })

  test('repeat', () => {
    using object = BpfObject.load(compileBpf('native'))
    using program = object.program('xdp_count')
    using counters = object.map('counters')
    program.testRun({ data: ETHERNET, repeat: 1000 })
    expect(counters.lookup(u32(0))).toEqual(u64(1000))
  })

  test('fail where the packet that comes out has no room, or the one that goes in no header', () => {
    using object = BpfObject.load(compileBpf('native'))
    using program = object.program('xdp_drop')
    expect(failure(() => program.testRun({ data: ETHERNET, outSize: 10 }))).toMatchObject({
      code: 'ENOSPC',
      syscall: 'bpf(BPF_PROG_TEST_RUN)',
    })
    expect(program.testRun({ data: ETHERNET, outSize: 0 }).data).toHaveLength(0)
    expect(failure(() => program.testRun({ data: new Uint8Array(3) }))).toMatchObject({
      code: 'EINVAL',
      message: 'run a program on 3 bytes: Invalid argument (EINVAL)',
    })
  })
})
