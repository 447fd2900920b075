import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  familyOf,
  formatEndpoint,
  formatIp,
  formatPrefix,
  isMapped,
  mappedLength,
  parseIp,
  parsePrefix,
} from '../../../src/engine/model/ip.ts'
import { ipv4Bytes, ipv6Bytes } from '../../support/arbitrary.ts'

const canonical = (text: string): string | undefined => {
  const bytes = parseIp(text)
  return bytes && formatIp(bytes)
}

describe('IPv6 text', () => {
  // RFC 5952, sections 4 and 5, and what its section 2 lists as ways to write one address.
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['2001:db8:aaaa:bbbb:cccc:dddd:0:1', '2001:db8:aaaa:bbbb:cccc:dddd:0:1'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::192.0.2.1', '::c000:201'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ])('%s is %s', (text, expected) => expect(canonical(text)).toBe(expected))

  test.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    ':1',
    '1:',
    'fe80::1%eth0',
    '[::1]',
    '::1/64',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:1',
    '1:2:3:4:5:6:7:1.2.3.4',
    ' ::1',
  ])('%o is none', (text) => expect(parseIp(text)).toBeUndefined())
})

describe('IPv4 text', () => {
  test.each(['0.0.0.0', '10.0.0.1', '255.255.255.255'])('%s is itself', (text) =>
    expect(canonical(text)).toBe(text),
  )

  test.each(['1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.', '0x1.2.3.4', '-1.2.3.4', '1.2.3.4 '])(
    '%o is none',
    (text) => expect(parseIp(text)).toBeUndefined(),
  )

  test('is held as a mapped address', () => {
    expect(parseIp('10.1.2.3')).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3))
    expect(isMapped(parseIp('10.1.2.3')!)).toBe(true)
    expect(isMapped(parseIp('::ffff:0:1')!)).toBe(true)
    expect(isMapped(parseIp('::ffff:0:0:1')!)).toBe(false)
  })
})

test('text and bytes say the same, both ways', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), (bytes) => {
      const text = formatIp(bytes)
      expect(parseIp(text)).toEqual(bytes)
      expect(familyOf(text)).toBe(isMapped(bytes) ? 'ipv4' : 'ipv6')
    }),
    { numRuns: 500 },
  )
})

test('any way to write an address has one canonical text', () => {
  const spelled = (bytes: Uint8Array): string =>
    Array.from({ length: 8 }, (_, i) =>
      ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16).padStart(4, '0').toUpperCase(),
    ).join(':')
  fc.assert(
    fc.property(ipv6Bytes, (bytes) => {
      expect(canonical(spelled(bytes))).toBe(formatIp(bytes))
    }),
  )
})

test('parsing is total', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f:./]*$/), (text) => {
      const bytes = parseIp(text)
      if (bytes) expect(parseIp(formatIp(bytes))).toEqual(bytes)
      const prefix = parsePrefix(text)
      if (prefix) expect(formatPrefix(parsePrefix(formatPrefix(prefix))!)).toBe(formatPrefix(prefix))
    }),
    { numRuns: 2000 },
  )
})

test('bytes are read where they begin', () => {
  expect(formatIp(Uint8Array.of(9, 9, ...parseIp('10.0.0.1')!), 2)).toBe('10.0.0.1')
})

test('endpoints put IPv6 in brackets', () => {
  expect(formatEndpoint('10.0.0.1', 80)).toBe('10.0.0.1:80')
  expect(formatEndpoint('2001:db8::1', 80)).toBe('[2001:db8::1]:80')
})

describe('prefixes', () => {
  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.255.2.3/9', '10.128.0.0/9'],
    ['10.1.2.255/25', '10.1.2.128/25'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['2001:db8:ffff::1/33', '2001:db8:8000::/33'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::/0', '::/0'],
    ['ffff::/1', '8000::/1'],
  ])('%s is %s', (text, expected) => expect(formatPrefix(parsePrefix(text)!)).toBe(expected))

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '/8',
    'a/8',
  ])('%o is none', (text) => expect(parsePrefix(text)).toBeUndefined())

  test('lengths count from the start of the 16 bytes', () => {
    expect(mappedLength('ipv4', 8)).toBe(104)
    expect(mappedLength('ipv6', 8)).toBe(8)
  })

  test('of mapped addresses are IPv4 as far as they reach into them', () => {
    expect(formatPrefix(parsePrefix('::ffff:10.1.2.3/104')!)).toBe('10.0.0.0/8')
    expect(formatPrefix(parsePrefix('::ffff:10.1.2.3/64')!)).toBe('::/64')
  })
})
