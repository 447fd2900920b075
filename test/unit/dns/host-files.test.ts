import { describe, expect, test } from 'vitest'
import {
  candidates,
  localAddresses,
  parseHosts,
  parseResolvConf,
} from '../../../src/engine/dns/host-files.ts'

describe('/etc/hosts', () => {
  const hosts = parseHosts(
    ['# names', '127.0.0.1\tlocalhost', '10.0.0.1 Web web.lan # main', '10.0.0.2 web', '  fd00::1   six', ''].join('\n'),
  ) // prettier-ignore
  test.each([
    ['web', ['10.0.0.1', '10.0.0.2']],
    ['WEB.lan', ['10.0.0.1']],
    ['web.lan.', ['10.0.0.1']],
    ['six', ['fd00::1']],
    ['localhost', ['127.0.0.1']],
    ['a.localhost', ['127.0.0.1', '::1']],
    ['main', undefined],
    ['notlocalhost', undefined],
  ])('%s', (name, expected) => {
    expect(localAddresses(name, hosts)).toEqual(expected)
  })

  test('without the file localhost is this host', () => {
    expect(localAddresses('localhost', parseHosts(''))).toEqual(['127.0.0.1', '::1'])
  })
})

describe('/etc/resolv.conf', () => {
  test.each([
    ['', { search: [], ndots: 1 }],
    ['nameserver 10.0.0.1\nsearch a.test b.test.', { search: ['a.test', 'b.test'], ndots: 1 }],
    ['search a.test\ndomain b.test', { search: ['b.test'], ndots: 1 }],
    ['domain b.test\nsearch a.test', { search: ['a.test'], ndots: 1 }],
    ['# search x\n; search y\nsearch .', { search: [], ndots: 1 }],
    ['search 1 2 3 4 5 6 7 8', { search: ['1', '2', '3', '4', '5', '6'], ndots: 1 }],
    ['options rotate ndots:5 timeout:1', { search: [], ndots: 5 }],
    ['options ndots:99', { search: [], ndots: 15 }],
    ['options ndots:x', { search: [], ndots: 1 }],
  ])('%j', (text, expected) => {
    expect(parseResolvConf(text)).toEqual(expected)
  })
})

describe('names to ask for', () => {
  const kubernetes = { search: ['ns.svc.cluster.local', 'svc.cluster.local'], ndots: 5 }
  test.each([
    ['web', { search: [], ndots: 1 }, ['web']],
    ['web', { search: ['a.test'], ndots: 1 }, ['web.a.test', 'web']],
    ['web.b', { search: ['a.test'], ndots: 1 }, ['web.b', 'web.b.a.test']],
    ['web.b.', { search: ['a.test'], ndots: 1 }, ['web.b']],
    ['web.', { search: ['a.test'], ndots: 1 }, ['web']],
    ['web', { search: ['a.test'], ndots: 0 }, ['web', 'web.a.test']],
    ['web.ns', kubernetes, ['web.ns.ns.svc.cluster.local', 'web.ns.svc.cluster.local', 'web.ns']],
  ])('%s', (name, rules, expected) => {
    expect(candidates(name, rules)).toEqual(expected)
  })
})
