import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BaseCommand } from '../cli/base.ts'
import { packageRoot } from '../cli/context.ts'

export default class Schema extends BaseCommand {
  static override summary = 'Print the JSON Schema of the configuration, for editors.'
  static override examples = ['<%= config.bin %> schema > lb.schema.json']

  async run(): Promise<unknown> {
    await this.parse(Schema)
    const text = readFileSync(join(packageRoot(), 'schema/lb.schema.json'), 'utf8')
    this.print(text)
    return JSON.parse(text)
  }
}
