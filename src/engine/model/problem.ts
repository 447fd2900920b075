/** One thing wrong with a configuration, with its place: 1-based, end exclusive. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Stable identifier, kebab-case: `duplicate-name`, `unknown-key`. */
  readonly rule: string
  readonly message: string
  readonly hint?: string
  readonly range?: SourceRange
  /** Another place that the message refers to, as where a name was first defined. */
  readonly related?: { readonly message: string; readonly range: SourceRange }
}

export interface SourceRange {
  readonly file: string
  readonly start: SourcePosition
  readonly end: SourcePosition
  /** The source line, as it stands in the file; empty where it is too long to be shown. */
  readonly snippet: string
}

export interface SourcePosition {
  readonly line: number
  /** In code points. */
  readonly column: number
  /** 0-based offset in bytes of UTF-8. */
  readonly byte: number
}
