/**
 * JSON, indented, without a final newline. Characters that a terminal may obey are written as escapes,
 * also where JSON does not ask for it.
 */
export function renderJson(document: unknown): string {
  return JSON.stringify(document, null, 2).replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from({ length: char.length }, (_, i) => {
      return `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}
