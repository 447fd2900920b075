/** What `lb doctor` found out about the host. */
export interface Finding {
  /** Stable identifier, with its subject after a colon: `btf`, `rp-filter:eth0`. */
  readonly id: string
  /** `error`: would stop an apply, or traffic. `warning`: things work, but worse. */
  readonly status: 'ok' | 'warning' | 'error'
  readonly title: string
  /** Why it matters; empty where the title says it all. */
  readonly detail: string
  /** A command that puts it right. */
  readonly fix?: string
}
