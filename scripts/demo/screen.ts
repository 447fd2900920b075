/** What the demo prints. All of it is meant for a person: nothing reads it. */

const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)

let step = 0

export function heading(text: string): void {
  step += 1
  console.log(`\n${paint(1, `${step}. ${text}`)}`)
}

export function say(text: string): void {
  console.log(text)
}

export function command(text: string): void {
  console.log(`\n${paint(36, `$ ${text}`)}`)
}

/** A statement that ends the demo, and its exit status, if it is not true. */
export function claim(isTrue: boolean, text: string): void {
  if (!isTrue) throw new Error(`This should be true and is not: ${text}`)
  console.log(`${paint(32, '✓')} ${text}`)
}

/** A share of a whole as a bar of at most 40 characters. */
export function bar(share: number): string {
  return '█'.repeat(Math.round(share * 40))
}
