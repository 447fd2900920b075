/** What a text means, or what is wrong with it. */
export interface Fault {
  readonly message: string
  readonly hint?: string
}

export type Parsed<T> = { readonly value: T } | { readonly fault: Fault }
