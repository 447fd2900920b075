// Writes docs/configuration.md from schema/lb.schema.json, the rules and the examples, and the tables of
// docs/performance.md from bench/results. With --check it writes nothing and exits with 1 where a file is not what
// it would write.
import { readFile, writeFile } from 'node:fs/promises'
import { transform } from 'esbuild'
import { format } from 'prettier'
import { fillResults } from './docs/results.mjs'

const root = new URL('..', import.meta.url)
const read = (path) => readFile(new URL(path, root), 'utf8')

const schema = JSON.parse(await read('schema/lb.schema.json'))

/** Rules are TypeScript without imports: all that has to go are the types. */
async function loadRules() {
  const { code } = await transform(await read('src/engine/model/rules.ts'), { loader: 'ts', format: 'esm' })
  return import(`data:text/javascript,${encodeURIComponent(code)}`)
}

const definitionOf = ({ $ref }) => schema.definitions[$ref?.replace('#/definitions/', '')]
const code = (value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

/** A list of constants is best said as a list; a reference to an object, as a link to its section. */
function typeOf(property) {
  const definition = definitionOf(property)
  if (definition?.properties) return `[${definition.title.toLowerCase()}](#${anchor(definition.title)})`
  const merged = { ...definition, ...property }
  if (merged.if) return `${typeOf(merged.else)}, or a list of them`
  if (merged.enum) return merged.enum.map(code).join(', ')
  if ('const' in merged) return code(merged.const)
  if (merged.type === 'boolean') return '`true`, `false`'
  if (merged.type === 'array') return `list of ${typeOf(merged.items)}`
  if (merged.type === 'object') return `map from name to ${typeOf(merged.additionalProperties)}`
  if (merged.type === 'integer') return `whole number, ${merged.minimum} to ${merged.maximum}`
  return merged.title?.toLowerCase() ?? 'text'
}

const anchor = (title) => title.toLowerCase().replaceAll(' ', '-')
const escapeCell = (text) => text.replaceAll('|', '\\|')

function row(name, property, required) {
  const merged = { ...definitionOf(property), ...property }
  const usual = required ? '**required**' : 'default' in merged ? code(merged.default) : ''
  return `| \`${name}\` | ${[typeOf(property), usual, merged.description].map(escapeCell).join(' | ')} |`
}

function table({ properties, required = [] }) {
  const rows = Object.entries(properties).map(([name, property]) =>
    row(name, property, required.includes(name)),
  )
  return ['| Key | Value | Default | |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function section(definition) {
  return `### ${definition.title}\n\n${definition.description}\n\n${table(definition)}\n`
}

async function example(file) {
  const language = file.split('.').pop()
  return `\`\`\`${language === 'edn' ? 'clojure' : language}\n${(await read(`examples/${file}`)).trimEnd()}\n\`\`\`\n`
}

async function document() {
  const objects = Object.values(schema.definitions).filter(({ properties }) => properties)
  const { RULES, WARNINGS } = await loadRules()
  return `<!-- Made by scripts/generate-docs.mjs from schema/lb.schema.json. Changes here are lost. -->

# Configuration

${schema.description}

${await example('minimal.yaml')}
More examples are in [examples/](../examples). \`lb init\` writes a file to start from.

## Files

The format of a file follows from its extension:

| Extension | Format |
| --- | --- |
| \`.yaml\`, \`.yml\` | YAML 1.2: \`010\` is ten, \`yes\` is text. One document a file; anchors and aliases work, tags do not. |
| \`.json\` | JSON, without comments. |
| \`.edn\` | EDN: keys are keywords in kebab-case (\`:default-target\`), choices may be keywords (\`:udp\`). |

Several files, or a folder of them, make one configuration: their proxies are put together. A proxy name
that is used twice, and an interface or setting that two files define, is an error that names both
places. Keys that are not in the tables below are errors.

Editors that know JSON Schema complete and check while you type: put
\`# yaml-language-server: $schema=./lb.schema.json\` on the first line (\`lb schema\` prints the schema,
\`lb init\` writes it beside the file), or, in JSON, the key \`"$schema"\`.

## Keys

${table(schema)}

${objects.map(section).join('\n')}
## How a target is chosen

A packet belongs to the proxy that listens on its interface, destination port and protocol: to one that
names its destination address, or else to one without an address. A connection goes to the targets of
the source route with the longest prefix that contains the client's address, or else to the default
target. Among several targets each new connection is given to one by weight, and stays there.

## Names

A target with a \`host\` stands for the addresses of that name, of one family: that of the address the proxy
listens on, or else of its other targets, of the networks of its clients, or of what the names have, IPv4
first. Its weight is divided among them:

| Weight | Addresses | Each has |
| --- | --- | --- |
| 60 | 3 | 20 |
| 50 | 3 | 17, 17, 16: nothing is lost |
| 2, beside one of 98 | 3 | 2, 1, 1, beside one of 196: the whole list is doubled |
| none in the list | 3 | as much as any other target |

An address that the list has already is not counted twice: it belongs to the target that is configured by
address, or to the first name in alphabetical order. A name whose addresses all belong to others gives
them its weight, and how the two were divided in the file makes no difference until it has an address
of its own: a plan shows no change. Addresses that no packet can be sent to, such as multicast ones, are left out. So are those
above 256, in order of their text.

A \`source\` that is a name is one route for each of its addresses. An address that has a route by itself keeps
it.

\`lb plan\` and \`lb apply\` look names up and show the addresses; \`lb show\` prints the name. A name without an
address is an error, unless \`--allow-unresolved\` is given: then it is left out, others have its share, and
a source route or proxy that has no target left is left out too.

## What is said of targets

A health check of a target holds for it; what the check does not say is as in \`healthCheckDefaults\`. Targets
without a check of their own are checked as these defaults say where \`healthCheckEnabled\` is set. \`type: none\`
switches the check of a target off. \`drain: true\` gives a target no new connections.

What is known of a target holds for all lists of its proxy. So its \`healthCheck\`, \`drain\` and
\`dnsRefreshSeconds\` are the same in all of them.

None of this is needed to forward packets, so it is not in the tables that the kernel reads, and changing it
changes none of them. It is part of a generation all the same: plans compare it, \`lb rollback\` brings it back.

## Removed targets

A target that the configuration no longer has, or whose proxy it no longer has, gets no new connections. What becomes
of those that it has is up to its proxy:

| \`onRemove\` | \`onRemoveDeadlineSec\` | They |
| --- | --- | --- |
| \`keep\` | | live on until they end; nothing waits for them |
| \`keep\` | 300 | live on; those that are left after 300 seconds are ended |
| \`reset\` | | are ended at once |

What the proxy says in the new configuration holds, or, where it goes as a whole, what it said before. It holds for
whatever takes a target away: \`lb apply\`, \`lb rollback\` and going back unconfirmed, \`lb watch\`, other addresses of a
name. A target that another list of the proxy still has is not removed; nor is one that another proxy has by now
on the same address, port and protocol. Connections do not remember the interface they came in by: where two proxies listen on the
same address and port of two interfaces and share a target, its connections live on until both have removed it.

\`lb plan\` and \`lb apply\` say how many connections a plan ends, and when; \`lb status\` and \`lb connections\` show what is
left, and until when. The deadline is of the generation that serves: bring the target back before, by a
rollback or another apply, and its connections live on. The kernel ends them by itself, within two seconds of the
deadline and without any process of lb: it forgets the connection, and counts it (\`removed\` in \`lb show --raw\`,
\`ended\` in \`lb connections\`). Connections that are closed on both sides are left to their timeout.

Nobody is told at that moment. A client finds out when it sends something: a TCP segment that belongs to no connection is left
to this host, which answers with RST where the listener's address is its own and forwards it otherwise, so have
the address on the host (\`ip address add 203.0.113.10/32 dev lo\`) for clients to be told. A target finds out likewise: what it
sends arrives at the client from an address that the client has no connection with, and is answered with RST. UDP clients go on with
another target.

## What is checked

\`lb validate\` reports all problems of all files at once, with file, line and column, and exits with 1
where one of them is an error. Each problem has the name of its rule:

| Rule | | Says |
| --- | --- | --- |
${Object.entries(RULES)
  .map(([id, text]) => `| \`${id}\` | ${WARNINGS.has(id) ? 'warning' : 'error'} | ${escapeCell(text)} |`)
  .join('\n')}

\`unknown-interface\` needs the host: it is checked by \`lb validate --host\`, \`lb plan\` and
\`lb apply\`. \`unresolved-host\` and \`many-addresses\` need the addresses of names: \`lb plan\` and \`lb apply\`
check them.
`
}

const options = JSON.parse(await read('.prettierrc.json'))
const documents = {
  'docs/configuration.md': document,
  'docs/performance.md': async () =>
    fillResults(await read('docs/performance.md'), async (name) =>
      JSON.parse(await read(`bench/results/${name}.json`)),
    ),
}
for (const [path, make] of Object.entries(documents)) {
  const target = new URL(path, root)
  const wanted = await format(await make(), { ...options, parser: 'markdown' })
  if (!process.argv.includes('--check')) {
    await writeFile(target, wanted)
  } else if ((await readFile(target, 'utf8').catch(() => '')) !== wanted) {
    console.error(`${path} is out of date: run node scripts/generate-docs.mjs`)
    process.exitCode = 1
  }
}
