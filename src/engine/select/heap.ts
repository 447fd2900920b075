/** A binary heap of members that wait for an entry: the one that must have it the soonest comes first. */

export interface Waiting {
  readonly member: number
  /** Entries that it has had. */
  readonly had: number
  readonly deadline: number
}

export interface Heap {
  push(item: Waiting): void
  /** Must not be empty. */
  pop(): Waiting
}

/** Of equal deadlines, the first member's. */
const before = (a: Waiting, b: Waiting): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.member < b.member)

export function makeHeap(): Heap {
  const items: Waiting[] = []
  const swap = (a: number, b: number): void => {
    const item = items[a]!
    items[a] = items[b]!
    items[b] = item
  }
  return {
    push(item) {
      let at = items.push(item) - 1
      for (let parent = (at - 1) >> 1; at > 0 && before(item, items[parent]!); parent = (at - 1) >> 1) {
        swap(at, parent)
        at = parent
      }
    },
    pop() {
      swap(0, items.length - 1)
      const first = items.pop()!
      for (let at = 0; ;) {
        let next = at
        for (const child of [2 * at + 1, 2 * at + 2]) {
          if (child < items.length && before(items[child]!, items[next]!)) next = child
        }
        if (next === at) return first
        swap(at, next)
        at = next
      }
    },
  }
}
