/** Texts that are not well-formed, and what is read from those that are. */
import { describe, expect, it } from 'vitest'
import { onlyProblem, problemsOf, proxyWith, rulesOf } from './report.ts'
import { readEdn } from '../../../src/engine/config/syntax/edn.ts'
import { readJson } from '../../../src/engine/config/syntax/json.ts'
import { toValue } from '../../../src/engine/config/syntax/node.ts'
import type { Outcome } from '../../../src/engine/config/syntax/outcome.ts'
import { readYaml } from '../../../src/engine/config/syntax/yaml.ts'

function valueOf({ root, problems }: Outcome): unknown {
  return root === undefined ? problems[0]?.message : toValue(root)
}

describe('YAML', () => {
  it.each([
    ['a: 010\nb: 0x10\nc: 1_0\nd: yes', { a: 10, b: 16, c: '1_0', d: 'yes' }],
    ['a: ~\nb: null\nc: .5', { a: null, b: null, c: 0.5 }],
    ['a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['a: |\n  x\n  y\n', { a: 'x\ny\n' }],
    ['a: "\\u0041"\r\nb:\r\n  - c\r\n', { a: 'A', b: ['c'] }],
    ['\uFEFFa: 1', { a: 1 }],
    ['%YAML 1.2\n---\na: 1\n...\n', { a: 1 }],
    ['? a\n: 1', { a: 1 }],
    ['1: a\ntrue: b', { 1: 'a', true: 'b' }],
    ['a: !!str 1', { a: '1' }],
    ['{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
    ['<<: {a: 1}', { '<<': { a: 1 } }],
  ])('%j', (text, value) => {
    expect(valueOf(readYaml(text))).toEqual(value)
  })

  it.each([
    ['', '', 'The file is empty', 'An empty configuration is written `proxies: []`.'],
    [' \n\n', '', 'The file is empty', 'An empty configuration is written `proxies: []`.'],
    ['# nothing\n', '# nothing', 'The file is empty', undefined],
    ['proxies:\n\t- a', '\t', 'A tab is used for indentation', 'YAML is indented with spaces only.'],
    [
      'proxies: []\n---\nproxies: []\n',
      '---',
      'A second document starts here',
      'Put each document into a file of its own; several files can be given.',
    ],
    [
      'proxies: []\nproxies: []',
      'proxies',
      'The key `proxies` is in this map twice',
      'Remove one of the two, or merge them.',
    ],
    ['a: !x b', 'b', 'The tag `!x` has no place in a configuration', 'Remove it.'],
    ['a: *x', '*x', 'There is no anchor `&x` before this alias', undefined],
    ['a: &x [*x]', '*x', 'This alias stands for a value that contains it', undefined],
    [
      '%YAML 1.1\n---\na: yes',
      '%YAML 1.1',
      'The file asks for YAML 1.1',
      'Only YAML 1.2 is read: remove the %YAML line.',
    ],
    ['? [a]\n: b', '[a]', 'A key is text', undefined],
    [
      'a: b: c',
      'b',
      'A map starts here in the middle of a line',
      'Begin a new line after the key, or put the value in quotes if it is text with a colon.',
    ],
    [
      'a:\n  b: 1\n c: 2',
      ' ',
      'The indentation fits none of the lines above',
      'Keys of one map start in the same column.',
    ],
    ['proxies: [a\0]', '\0', 'The file is not text: it has a NUL byte', undefined],
  ])('%j is refused', (text, where, message, hint) => {
    expect(onlyProblem(text)).toEqual([where, message, hint])
  })

  it('duplicate keys are all reported, with where they were first, and hide nothing else', () => {
    const text = proxyWith({ forwarding: 'nat' }).replace(
      'forwarding: nat',
      'name: a\n    name: b\n    forwarding: dsr',
    )
    expect(rulesOf(text)).toEqual(['6:5 duplicate-key', '7:5 duplicate-key', '8:17 unknown-value'])
    expect(problemsOf(text)[1]?.related?.range.start).toMatchObject({ line: 3, column: 5 })
  })
})

describe('JSON', () => {
  it.each([
    [
      '{"a": [1, -2.5e3, true, false, null, "\\u0041\\n"], "b": {}}',
      { a: [1, -2500, true, false, null, 'A\n'], b: {} },
    ],
    ['\uFEFF \t\r\n[]', []],
    ['"é😀"', 'é😀'],
    ['{"__proto__": 1}', JSON.parse('{"__proto__": 1}')],
  ])('%j', (text, value) => {
    expect(valueOf(readJson(text))).toEqual(value)
  })

  it.each([
    ['{"a": 1,}', ',', 'JSON has no comma after the last element', 'Remove it.'],
    ['[1,]', ',', 'JSON has no comma after the last element', 'Remove it.'],
    ['{"a" 1}', '1', 'A colon should follow the key `a`', undefined],
    ['{"a": 1 "b": 2}', '"', 'A comma or `}` should be here', undefined],
    ['[1 2]', '2', 'A comma or `]` should be here', undefined],
    ['{a: 1}', 'a', 'The key `a` needs quotes', 'Write "a".'],
    ['{1: 1}', '1', 'The key `1` needs quotes', 'Write "1".'],
    ["{'a': 1}", "'", 'A key in double quotes should be here', undefined],
    ["['a']", "'", 'A value should be here', 'JSON takes double quotes only.'],
    ['{"a": tcp}', 'tcp', '`tcp` needs quotes', 'Write "tcp".'],
    ['{"a": 010}', '010', '`010` is not written as JSON writes numbers', 'Write 10.'],
    ['[+1]', '+1', '`+1` is not written as JSON writes numbers', 'Write 1.'],
    ['[.5]', '.5', '`.5` is not written as JSON writes numbers', 'Write 0.5.'],
    ['{"a": 1} // x', '/', 'JSON has no comments', 'Remove it, or write the configuration in YAML.'],
    ['# x\n{}', '#', 'JSON has no comments', 'Remove it, or write the configuration in YAML.'],
    ['{} {}', '{', 'There is more text after the end of the JSON value', 'A JSON file holds one value.'],
    ['{"a": [1, 2}', '}', 'A comma or `]` should be here', undefined],
    ['{"a": [1, 2', '[', 'This `[` has no closing `]`', undefined],
    ['{"a": 1', '{', 'This `{` has no closing `}`', undefined],
    ['{"a": ', '', 'The file ends where a value should be', undefined],
    ['{"a', '"a', 'This text has no closing quote', undefined],
    [
      '["a\nb"]',
      '"a',
      'This text goes over a line, or has a control character or an escape that JSON does not know',
      undefined,
    ],
    [
      '["\\x"]',
      '"\\x"]',
      'This text goes over a line, or has a control character or an escape that JSON does not know',
      undefined,
    ],
    ['', '', 'The file is empty', 'An empty configuration is written `proxies: []`.'],
  ])('%j is refused', (text, where, message, hint) => {
    expect(onlyProblem(text, 'json')).toEqual([where, message, hint])
  })

  it('keys twice', () => {
    expect(rulesOf('{"proxies": [], "version": 1,\n "version": 2}', 'json')).toEqual(['2:2 duplicate-key'])
  })
})

describe('EDN', () => {
  it.each([
    ['{:a 1, :b-c [1 2.5 -3 +4 5N 6.5M 1e3] :d nil}', { a: 1, bC: [1, 2.5, -3, 4, 5, 6.5, 1000], d: null }],
    ['{"a-b" :c-d :e true}', { 'a-b': 'c-d', e: true }],
    ['; x\n(1 #_2 #_ #_ 3 4 [5 #_{:a 6}]) ; y', [1, [5]]],
    ['"a\nb\\t\\"\\u0041"', 'a\nb\t"A'],
    [
      '{:interfaces {:br-lan {:attach :xdp-generic}}}',
      { interfaces: { 'br-lan': { attach: 'xdp-generic' } } },
    ],
    ['{:x {:interfaces {:br-lan 1}}}', { x: { interfaces: { brLan: 1 } } }],
    ['{:aB 1 :c_d 2}', { ':aB': 1, ':c_d': 2 }],
  ])('%j', (text, value) => {
    expect(valueOf(readEdn(text))).toEqual(value)
  })

  it.each([
    [
      '{:proxies [] :proxies []}',
      ':proxies',
      'The key `:proxies` is in this map twice',
      'Remove one of the two, or merge them.',
    ],
    ['{:proxies}', ':proxies', 'The key `:proxies` has no value', undefined],
    ['{proxies []}', 'proxies', 'The key `proxies` should be a keyword', 'Write `:proxies`.'],
    ['{[] 1}', '[', 'A key is a keyword or text', undefined],
    ['{:proxies [}', '}', '`]` should close the bracket that is open here', undefined],
    ['{:proxies [] ', '{', 'This `{` has no closing `}`', undefined],
    ['{:proxies []} {}', '{', 'There is more text after the end of the map', 'An EDN file holds one value.'],
    [']', ']', 'There is nothing open that this bracket would close', undefined],
    [
      '{:a #{1}}',
      '#',
      'A configuration has no sets, tags, metadata, characters or quotes',
      'Only maps, vectors, strings, keywords, numbers, booleans and nil are used.',
    ],
    [
      '{:a #inst "2020"}',
      '#inst',
      'A configuration has no sets, tags, metadata, characters or quotes',
      'Only maps, vectors, strings, keywords, numbers, booleans and nil are used.',
    ],
    [
      '{:a \\c}',
      '\\c',
      'A configuration has no sets, tags, metadata, characters or quotes',
      'Only maps, vectors, strings, keywords, numbers, booleans and nil are used.',
    ],
    ['{:a tcp}', 'tcp', '`tcp` needs quotes', 'Write "tcp".'],
    ['{:a 010}', '010', '`010` is not written as EDN writes numbers', 'Write 10.'],
    ['{:a 10.0.0.1}', '10.0.0.1', '`10.0.0.1` needs quotes', 'Write "10.0.0.1".'],
    ['{:a :b/c}', ':b/c', '`:b/c` is not a plain keyword', 'Keywords have no namespace here.'],
    ['{:a "b}', '"b}', 'This text has no closing quote', undefined],
    ['{:a "\\x"}', '"\\x"}', 'This text has an escape that EDN does not know', undefined],
    ['{:a #_}', '}', 'There is nothing open that this bracket would close', undefined],
    ['#_', '#_', 'Nothing follows this `#_`', undefined],
    ['; only a comment', '', 'The file ends where a value should be', undefined],
    ['{:proxies [] :setings {}}', ':setings', 'Unknown key `:setings`', 'Did you mean `:settings`?'],
    [
      '{:proxies [] :settings {:connectionTimeoutSec 1}}',
      ':connectionTimeoutSec',
      'Unknown key `:connectionTimeoutSec`',
      'Did you mean `:connection-timeout-sec`?',
    ],
    [
      '{:proxies [] :settings {:stats-enabled false}}',
      ':stats-enabled',
      'Unknown key `:stats-enabled`',
      'The keys here are `:connection-timeout-sec`, `:syn-timeout-sec`, `:fin-timeout-sec`, `:time-wait-timeout-sec`, `:reset-timeout-sec`, `:udp-timeout-sec`, `:udp-stream-timeout-sec`, `:max-connections` and 8 more.',
    ],
    [
      '{:proxies [] :settings {:connection-timeout-sec 0}}',
      '0',
      '`:connection-timeout-sec` must be between 1 and 86400, not 0',
      undefined,
    ],
    [
      '{:proxies [{:name "web" :listen {:interfaces ["eth0"] :port 80} :default-target "10.0.0.1:80"}]}',
      '"10.0.0.1:80"',
      '`:default-target` must be a map, not "10.0.0.1:80"',
      'Write {:ip "10.0.0.1" :port 80}.',
    ],
    [
      '{:proxies [{:name "web" :listen {:interfaces ["eth0"] :port 80}}]}',
      '{:name "web" :listen {:interfaces ["eth0"] :port 80}}',
      'Proxy `web` has no `:default-target`',
      'Say where connections go: an address and a port.',
    ],
  ])('%j is refused', (text, where, message, hint) => {
    expect(onlyProblem(text, 'edn')).toEqual([where, message, hint])
  })
})
