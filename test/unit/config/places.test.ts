/** Lines, columns, bytes and snippets; and where resources are defined. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHost } from '../../../src/engine/config/host.ts'
import { loadConfig } from '../../../src/engine/config/load.ts'
import { positionsIn } from '../../../src/engine/config/syntax/positions.ts'
import {
  interfaceAddress,
  proxyAddress,
  sourceRouteAddress,
  targetAddress,
} from '../../../src/engine/model/resource.ts'

describe('positions', () => {
  it.each([
    ['abc', 1, 2, { line: 1, column: 2, byte: 1 }, 'abc'],
    ['a\nbcd', 3, 4, { line: 2, column: 2, byte: 3 }, 'bcd'],
    ['a\r\nbc\r\n', 3, 4, { line: 2, column: 1, byte: 3 }, 'bc'],
    ['é\nüö', 3, 4, { line: 2, column: 2, byte: 5 }, 'üö'],
    ['😀x', 2, 3, { line: 1, column: 2, byte: 4 }, '😀x'],
    ['\uFEFFab', 2, 3, { line: 1, column: 2, byte: 4 }, 'ab'],
    ['ab\n', 3, 3, { line: 1, column: 3, byte: 2 }, 'ab'],
    ['', 0, 0, { line: 1, column: 1, byte: 0 }, ''],
    ['ab', 99, 100, { line: 1, column: 3, byte: 2 }, 'ab'],
  ])('in %j of %i to %i', (text, start, end, position, snippet) => {
    expect(positionsIn('f', text).range({ start, end })).toMatchObject({
      file: 'f',
      start: position,
      snippet,
    })
  })

  it('are cut at the end of the line', () => {
    const { start, end, snippet } = positionsIn('f', 'a: 1\nb: 2\n').range({ start: 0, end: 9 })
    expect([start, end, snippet]).toEqual([
      { line: 1, column: 1, byte: 0 },
      { line: 1, column: 5, byte: 4 },
      'a: 1',
    ])
  })

  it('of very long lines come without the line', () => {
    const text = `${'é'.repeat(5000)}x`
    expect(positionsIn('f', text).range({ start: 5000, end: 5001 })).toEqual({
      file: 'f',
      start: { line: 1, column: 5001, byte: 10_000 },
      end: { line: 1, column: 5002, byte: 10_001 },
      snippet: '',
    })
  })

  it('count as a slow and plain count does', () => {
    const unit = fc.constantFrom('a', 'é', '€', '😀', '\n', '\r\n', ' ')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 3000 }), fc.nat(), (parts, seed) => {
        const text = parts.join('')
        const at = parts.slice(0, parts.length === 0 ? 0 : seed % parts.length).join('').length
        const { start } = positionsIn('f', `${text}#`).range({ start: at, end: at + 1 })
        const before = text.slice(0, at)
        const line = before.split('\n')
        // The place of a line break is the end of its line.
        expect(start).toEqual({
          line: line.length,
          column: Array.from(line.at(-1) ?? '').length + 1,
          byte: new TextEncoder().encode(before).length,
        })
      }),
    )
  })
})

const TEXT = `proxies:
  - name: web
    listen: { interfaces: [eth0, eht1], port: 80 }
    defaultTarget: { ip: 10.0.0.1, port: 8080 }
    sourceRoutes:
      - { source: 10.1.0.0/16, target: { ip: 10.0.0.2, port: 1 } }
  - name: api.v1
    listen: { interfaces: [eht1], port: 81 }
    defaultTarget: { ip: 10.0.0.1, port: 8080 }
interfaces:
  wlan9: { attach: none }
settings: { connectionTimeoutSec: 5 }
`

function loaded(): Extract<ReturnType<typeof loadConfig>, { ok: true }> {
  const result = loadConfig([{ file: 'a.yaml', text: TEXT, format: 'yaml' }])
  if (!result.ok) throw new Error('not valid')
  return result
}

describe('locate', () => {
  it.each([
    [proxyAddress('web'), '2:11'],
    [proxyAddress('api.v1'), '7:11'],
    [targetAddress('web', '10.0.0.1', 8080), '4:26'],
    [sourceRouteAddress('web', '10.1.0.0/16'), '6:19'],
    [interfaceAddress('wlan9'), '11:3'],
    ['settings.connectionTimeoutSec', '12:13'],
    ['program', undefined],
  ])('%s', (address, place) => {
    const range = loaded().locate(address)
    expect(range && `${range.start.line}:${range.start.column}`).toBe(place)
  })
})

describe('checkHost', () => {
  it('accepts what is there', () => {
    expect(checkHost(loaded(), ['lo', 'eth0', 'eht1', 'wlan9'])).toEqual([])
  })

  it('names each missing interface once, at its first place', () => {
    const problems = checkHost(loaded(), ['lo', 'eth0', 'eth1'])
    expect(problems).toMatchObject([
      {
        severity: 'error',
        rule: 'unknown-interface',
        message: 'This host has no interface `eht1` (named in 2 places)',
        hint: 'Did you mean `eth1`?',
        range: { file: 'a.yaml', start: { line: 3, column: 34 } },
      },
      {
        message: 'This host has no interface `wlan9`',
        hint: 'It has `lo`, `eth0`, `eth1`.',
        range: { start: { line: 11, column: 3 } },
      },
    ])
  })

  it('shows some of many', () => {
    const [problem] = checkHost(
      loaded(),
      Array.from({ length: 20 }, (_, i) => `veth-host${i}`),
    )
    expect(problem?.hint).toBe(
      'It has `veth-host0`, `veth-host1`, `veth-host2`, `veth-host3`, `veth-host4`, `veth-host5`, `veth-host6`, `veth-host7` and more.',
    )
  })
})
