/** Many mistakes in one file. */
import { describe, expect, it } from 'vitest'
import { rulesOf } from './report.ts'

describe('all at once', () => {
  it('every mistake once, in the order of the lines', () => {
    const text = `
version: 3
proxis: []
proxies:
  - name: web
    listen: { interfaces: [eth0], port: 0 }
    defaultTarget:
      - { ip: 10.0.0.256, port: 80, weight: 30 }
      - { ip: 10.0.0.2, port: 80, weigth: 30 }
  - name: web
    lisen: { interfaces: [eth0], port: 80 }
    defaultTarget: { ip: 10.0.0.1, port: 80, weight: 99 }
settings: { connectionTimeoutSec: never }
`
    expect(rulesOf(text)).toEqual([
      '2:10 config-version',
      '3:1 unknown-key',
      '6:41 out-of-range',
      '8:15 invalid-address',
      '9:35 unknown-key',
      '10:11 duplicate-name',
      '11:5 unknown-key',
      '12:54 weight-sum',
      '13:35 wrong-type',
    ])
  })

  it('one that aliases repeat is told once', () => {
    const text = `proxies:
  - { name: a, listen: { interfaces: [eth0], port: 1 }, defaultTarget: &all { ip: 10.0.0.300, port: 99 } }
  - { name: b, listen: { interfaces: [eth0], port: 2 }, defaultTarget: *all }
`
    expect(rulesOf(text)).toEqual(['2:83 invalid-address'])
  })

  it('a wrong value is not judged a second time', () => {
    const text = `proxies:
  - { name: a, listen: { interfaces: [eth0], port: 99999 }, defaultTarget: { ip: 10.0.0.1, port: 1 } }
  - { name: b, listen: { interfaces: [eth0], port: 99999 }, defaultTarget: { ip: 10.0.0.1, port: 1 } }
`
    expect(rulesOf(text)).toEqual(['2:52 out-of-range', '3:52 out-of-range'])
  })
})
