/** Plain JSON, compared by value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** The attributes of a resource. */
export type Attributes = Readonly<Record<string, Json>>
