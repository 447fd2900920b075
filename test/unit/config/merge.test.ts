/** Several files, one configuration. */
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/engine/config/load.ts'
import type { Source } from '../../../src/engine/config/source.ts'

const yaml = (file: string, text: string): Source => ({ file, text, format: 'yaml' })
const proxy = (name: string, port: number): string =>
  `proxies:\n  - { name: ${name}, listen: { interfaces: [eth0], port: ${port} }, defaultTarget: { ip: 10.0.0.1, port: 1 } }\n`

function places(sources: readonly Source[]): (string | undefined)[] {
  const loaded = loadConfig(sources)
  const problems = loaded.ok ? loaded.warnings : loaded.problems
  return problems.map(({ rule, range, related }) => {
    const at = range && `${range.file}:${range.start.line}:${range.start.column}`
    return related
      ? `${rule} ${at ?? ''} <- ${related.range.file}:${related.range.start.line}:${related.range.start.column}`
      : `${rule} ${at ?? ''}`
  })
}

describe('several files', () => {
  it('are put together, whatever their format', () => {
    const loaded = loadConfig([
      yaml('b.yaml', proxy('web', 80)),
      { file: 'a.json', text: '{"interfaces": {"eth0": {"attach": "tcx"}}}', format: 'json' },
      {
        file: 'c.edn',
        text: '{:settings {:connection-timeout-sec 9} :interfaces {:br-lan {}}}',
        format: 'edn',
      },
      yaml('d.yaml', proxy('api', 81)),
    ])
    expect(loaded).toMatchObject({
      ok: true,
      warnings: [],
      snapshot: {
        proxies: [{ name: 'api' }, { name: 'web' }],
        interfaces: [
          { name: 'br-lan', attach: 'auto' },
          { name: 'eth0', attach: 'tcx' },
        ],
        settings: { connectionTimeoutSec: 9 },
      },
    })
  })

  it('name both places of what is defined twice', () => {
    expect(
      places([
        yaml(
          'a.yaml',
          `${proxy('web', 80)}interfaces: { eth0: {} }\nsettings: { connectionTimeoutSec: 1 }\n`,
        ),
        yaml(
          'b.yaml',
          `${proxy('web', 81)}interfaces: { eth0: {} }\nsettings: { connectionTimeoutSec: 1 }\n`,
        ),
        yaml('c.yaml', proxy('api', 80)),
      ]),
    ).toEqual([
      'duplicate-name b.yaml:2:13 <- a.yaml:2:13',
      'duplicate-definition b.yaml:3:15 <- a.yaml:3:15',
      'duplicate-definition b.yaml:4:13 <- a.yaml:4:13',
      'duplicate-listener c.yaml:2:54 <- a.yaml:2:54',
    ])
  })

  it('are checked as far as each can be read, and reported in their order', () => {
    expect(
      places([
        yaml('z.yaml', 'proxies: [\n'),
        yaml('y.yaml', proxy('web', 0)),
        yaml('x.yaml', ''),
        yaml('w.yaml', proxy('web', 80)),
      ]),
    ).toEqual([
      'syntax z.yaml:1:11',
      'out-of-range y.yaml:2:54',
      'empty-file x.yaml:1:1',
      'duplicate-name w.yaml:2:13 <- y.yaml:2:13',
    ])
  })

  it('given twice count once', () => {
    expect(places([yaml('a.yaml', proxy('web', 80)), yaml('a.yaml', proxy('web', 80))])).toEqual([])
  })
})
