import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { DirectoryLock, capabilities, isBpffs, possibleCpus, sendDatagram } from '../../native/index.ts'
import { end, mustRun, root, start } from '../support/lab/run.ts'
import { runChild, startChild } from '../support/native-child.ts'
import { failure, pinFolder, temporaryFolder } from '../support/native.ts'

describe('directory locks', () => {
  test('are held by one at a time, in this process too', () => {
    const folder = temporaryFolder()
    const lock = DirectoryLock.tryAcquire(folder)!
    expect(lock).toBeInstanceOf(DirectoryLock)
    expect(DirectoryLock.tryAcquire(folder)).toBeUndefined()
    lock.close()
    lock.close()
    using again = DirectoryLock.tryAcquire(folder)
    expect(again).toBeDefined()
  })

  test('keep other processes out', async () => {
    const folder = temporaryFolder()
    const tryThere = () =>
      runChild((native, folder) => native.DirectoryLock.tryAcquire(folder) !== undefined, folder)
    const lock = DirectoryLock.tryAcquire(folder)!
    expect(await tryThere()).toBe(false)
    lock.close()
    expect(await tryThere()).toBe(true)
  })

  test('are free once their holder is killed', async () => {
    const folder = pinFolder()
    const child = startChild(async (native, folder) => {
      const lock = native.DirectoryLock.tryAcquire(folder)
      process.stdout.write(lock ? 'held' : 'refused')
      await new Promise((resolve) => setInterval(resolve, 60_000))
      lock?.close()
    }, folder)
    const [said] = (await once(child.stdout!, 'data')) as [Buffer]
    expect(said.toString()).toBe('held')
    expect(DirectoryLock.tryAcquire(folder)).toBeUndefined()
    await end(child, 'SIGKILL')
    using lock = DirectoryLock.tryAcquire(folder)
    expect(lock).toBeDefined()
  })

  test('are not handed on to programs that are started', async () => {
    const held = await runChild((native, folder) => {
      const lock = native.DirectoryLock.tryAcquire(folder)!
      const { spawn } = process.getBuiltinModule('node:child_process')
      const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' })
      lock.close()
      const free = native.DirectoryLock.tryAcquire(folder) !== undefined
      sleeper.kill('SIGKILL')
      return free
    }, temporaryFolder())
    expect(held).toBe(true)
  })

  test('are on directories that exist', () => {
    const folder = temporaryFolder()
    const missing = join(folder, 'missing')
    expect(failure(() => DirectoryLock.tryAcquire(missing))).toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
      message: `open directory '${missing}' to lock it: No such file or directory (ENOENT)`,
    })
    writeFileSync(missing, '')
    expect(failure(() => DirectoryLock.tryAcquire(missing)).code).toBe('ENOTDIR')
  })
})

describe('this process and this host', () => {
  test('bpffs is told from other file systems', () => {
    expect(isBpffs('/sys/fs/bpf')).toBe(true)
    expect(isBpffs(pinFolder())).toBe(true)
    expect(isBpffs('/tmp')).toBe(false)
    expect(isBpffs('/sys/fs/bpf/not/there')).toBe(false)
  })

  test('capabilities are those of /proc', async () => {
    const mask = BigInt(`0x${/CapEff:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]!}`)
    const known = capabilities()
    expect(known.has('net_admin')).toBe(((mask >> 12n) & 1n) === 1n)
    expect(known.has('sys_resource')).toBe(((mask >> 24n) & 1n) === 1n)
    expect(known.has('bpf')).toBe(((mask >> 39n) & 1n) === 1n)
    const without = await runChild((native) => {
      process.setuid!(65534)
      return [...native.capabilities()]
    }, undefined)
    expect(without).toEqual([])
  })

  test('possible CPUs are those of /sys', () => {
    const [, last = '0'] = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim().split('-')
    expect(possibleCpus()).toBe(Number(last) + 1)
  })

  test('what a process without capabilities is refused says so', async () => {
    const error = await runChild((native) => {
      process.setuid!(65534)
      try {
        native.BpfMap.create({
          type: 'lpm_trie',
          name: 'routes',
          keySize: 8,
          valueSize: 8,
          maxEntries: 1,
          flags: 1,
        })
        return undefined
      } catch (error) {
        return Object.assign({}, error as Error, { message: (error as Error).message })
      }
    }, undefined)
    expect(error).toEqual({
      code: 'EPERM',
      errno: 1,
      syscall: 'bpf(BPF_MAP_CREATE)',
      message: `create lpm_trie map 'routes' (key 8, value 8, 1 entries): Operation not permitted (EPERM)`,
    })
  })
})

describe('datagrams to Unix sockets', () => {
  /** What a socket at an address receives, as the service manager would. */
  async function receive(address: string, send: () => void): Promise<string> {
    const script = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', chr(0)))
print('bound', flush=True)
print(s.recv(4096).decode(), flush=True)`
    const child = start(['python3', '-c', script, address], 'pipe')
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    try {
      expect((await lines.next()).value).toBe('bound')
      send()
      return (await lines.next()).value as string
    } finally {
      await end(child)
    }
  }

  test.for(['path', 'abstract'])('arrive at an address that is %s', async (kind) => {
    const address = kind === 'path' ? join(temporaryFolder(), 'notify') : `@lb-test-${process.pid}`
    const said = await receive(address, () => sendDatagram(address, Buffer.from('READY=1')))
    expect(said).toBe('READY=1')
  })

  test('to nobody fail, and say how', () => {
    const path = join(temporaryFolder(), 'nobody')
    expect(failure(() => sendDatagram(path, new Uint8Array(1)))).toMatchObject({
      code: 'ENOENT',
      syscall: 'sendto',
    })
    expect(() => sendDatagram('x'.repeat(108), new Uint8Array(1))).toThrow(RangeError)
  })
})

test('the addon needs no library but the C library', async () => {
  const stdout = await mustRun(['ldd', join(root, 'native/build/Release/lb_native.node')])
  expect(stdout).toContain('libc.so')
  expect(stdout).not.toMatch(/libbpf|libelf|libz/)
})
