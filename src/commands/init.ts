import { Args, Flags } from '@oclif/core'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BaseCommand } from '../cli/base.ts'
import { packageRoot } from '../cli/context.ts'
import { writeWhole } from '../cli/write-file.ts'
import { starterFile } from '../engine/config/starter.ts'

const SCHEMA_FILE = 'lb.schema.json'

export default class Init extends BaseCommand {
  static override summary =
    'Write a commented configuration to start from, with the schema for editors beside it.'
  static override examples = ['<%= config.bin %> init', '<%= config.bin %> init conf/edge.yaml']
  static override args = {
    file: Args.string({ description: 'where to write it', default: 'lb.yaml', ignoreStdin: true }),
  }
  static override flags = {
    force: Flags.boolean({ description: 'write over a file that is there' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Init)
    const schema = join(dirname(args.file), SCHEMA_FILE)
    writeWhole(args.file, starterFile(), { overwrite: flags.force })
    // The schema is this version's, whatever was there.
    const text = readFileSync(join(packageRoot(), 'schema', SCHEMA_FILE), 'utf8')
    writeWhole(schema, text, { overwrite: true })
    this.print(`Wrote ${args.file} and ${schema}. Next: edit it, then \`lb validate -c ${args.file}\`.`)
    return { formatVersion: 1, file: args.file, schema }
  }
}
