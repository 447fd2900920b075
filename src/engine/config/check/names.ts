import type { Problem } from '../../model/problem.ts'
import type { Draft, DraftProxy } from '../draft.ts'
import { type Place, problemAt, spell } from '../source.ts'

/** No two proxies have the same name. */
export function checkNames(proxies: readonly DraftProxy[]): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, Place>()
  for (const { source, name } of proxies) {
    if (name === undefined) continue
    const at: Place = { source, span: name }
    const other = first.get(name.value)
    if (other === undefined) first.set(name.value, at)
    else {
      problems.push(
        problemAt(at, 'duplicate-name', `There is already a proxy \`${name.value}\``, {
          hint: 'Give one of the two another name.',
          related: { message: 'it is defined here', at: other },
        }),
      )
    }
  }
  return problems
}

/** An interface or a setting is defined in one file only; twice in one file is a duplicate key already. */
export function checkDefinitions({ interfaces, settings }: Draft): Problem[] {
  const interfaceProblems = findTwice(interfaces, ({ name }) => ({
    id: name,
    message: `Interface \`${name}\` is already defined in another file`,
  }))
  const settingProblems = findTwice(settings, ({ key, source }) => ({
    id: key,
    message: `The setting \`${spell(source, key)}\` is already given in another file`,
  }))
  return [...interfaceProblems, ...settingProblems]
}

type Definition = { readonly source: Place['source']; readonly keySpan: Place['span'] }

function findTwice<T extends Definition>(
  definitions: readonly T[],
  tell: (definition: T) => { readonly id: string; readonly message: string },
): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, Place>()
  for (const definition of definitions) {
    const { id, message } = tell(definition)
    const at: Place = { source: definition.source, span: definition.keySpan }
    const other = first.get(id)
    if (other === undefined) first.set(id, at)
    else {
      problems.push(
        problemAt(at, 'duplicate-definition', message, {
          hint: 'Remove one of the two.',
          related: { message: 'it is defined here', at: other },
        }),
      )
    }
  }
  return problems
}
