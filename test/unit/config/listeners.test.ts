/** Listeners against each other and against the interfaces. */
import { describe, expect, it } from 'vitest'
import { marked, onlyProblem, problemsOf, proxyWith, rulesOf } from './report.ts'

const TARGET = 'defaultTarget: { ip: 10.0.0.1, port: 8080 }'

/** A configuration of proxies that differ in their listeners. */
function listeners(...lines: readonly string[]): string {
  return `proxies:\n${lines.map((line, i) => `  - { name: p${i}, listen: { ${line} }, ${TARGET} }\n`).join('')}`
}

describe('listeners', () => {
  it.each([
    ['another port', 'interfaces: [eth0], port: 80', 'interfaces: [eth0], port: 81'],
    ['another interface', 'interfaces: [eth0], port: 80', 'interfaces: [eth1], port: 80'],
    ['another protocol', 'interfaces: [eth0], port: 80', 'interfaces: [eth0], port: 80, protocol: udp'],
    [
      'another address',
      'interfaces: [eth0], port: 80, address: 10.9.0.1',
      'interfaces: [eth0], port: 80, address: 10.9.0.2',
    ],
    [
      'an address beside any',
      'interfaces: [eth0], port: 80',
      'interfaces: [eth0], port: 80, address: 10.9.0.1',
    ],
  ])('may share all but %s', (_, first, second) => {
    expect(problemsOf(listeners(first, second))).toEqual([])
  })

  it('on any address may be one of each family', () => {
    expect(
      problemsOf(
        `${proxyWith({})}  - { name: six, listen: { interfaces: [eth0], port: 80 }, defaultTarget: { ip: fd00::1, port: 1 } }`,
      ),
    ).toEqual([])
  })

  it.each([
    [
      'interfaces: [eth0], port: 80',
      'interfaces: [eth1, eth0], port: 80',
      'any address, tcp port 80 on `eth0`',
    ],
    [
      'interfaces: [eth0, eth1], port: 80',
      'interfaces: [eth1, eth0], port: 80, address: 0.0.0.0',
      'any address, tcp port 80 on `eth1`, `eth0`',
    ],
    [
      'interfaces: [eth0], port: 53, protocol: udp, address: 10.9.0.1',
      'interfaces: [eth0], port: 53, protocol: udp, address: 10.9.0.1',
      '`10.9.0.1`, udp port 53 on `eth0`',
    ],
  ])('%s and %s are the same', (first, second, where) => {
    const text = listeners(first, second)
    const [problem, ...others] = problemsOf(text)
    expect(others).toEqual([])
    expect(problem).toMatchObject({
      rule: 'duplicate-listener',
      message: `Proxy \`p0\` already listens on ${where}`,
    })
    expect(problem?.range?.start.line).toBe(3)
    expect(problem?.related?.range.start.line).toBe(2)
  })

  it('of a proxy that is there twice are no second mistake', () => {
    expect(
      rulesOf(`${proxyWith({})}  - { name: web, listen: { interfaces: [eth0], port: 80 }, ${TARGET} }`),
    ).toEqual(['6:13 duplicate-name'])
  })

  it('that cannot be told are left alone', () => {
    const misspelt = listeners(
      'interfaces: [eth0], port: 80, adress: 10.9.0.1',
      'interfaces: [eth0], port: 80',
    )
    expect(rulesOf(misspelt)).toEqual(['2:57 unknown-key'])
    const wrong = listeners('interfaces: [eth0], port: 80, protocol: ucp', 'interfaces: [eth0], port: 80')
    expect(rulesOf(wrong)).toEqual(['2:67 unknown-value'])
  })

  it('name an interface once', () => {
    const text = proxyWith({ listen: '{ interfaces: [eth0, eth1, eth0], port: 80 }' })
    expect(onlyProblem(text)).toEqual(['eth0', 'Interface `eth0` is listed twice', undefined])
  })

  it('need interfaces that are attached', () => {
    const text = `${proxyWith({})}interfaces: { eth0: { attach: none } }`
    const [problem] = problemsOf(text)
    expect(problem).toMatchObject({
      rule: 'interface-not-attached',
      message: 'Interface `eth0` is not attached, so nothing can listen on it',
    })
    expect(problem && marked(text, problem)).toBe('eth0')
    expect(problem?.related?.range.start.line).toBe(6)
  })
})
