/** A binary heap of members that wait for an entry: the one that must have it the soonest comes first. */

export interface Heap {
  push(member: number): void
  /** Must not be empty. */
  pop(): number
}

/** By the members' deadlines; of equal ones, the first member's. A deadline stays while its member waits. */
export function makeHeap(deadlines: Float64Array): Heap {
  const items = new Int32Array(deadlines.length)
  let size = 0
  const before = (a: number, b: number): boolean => {
    const first = deadlines[a]!
    const second = deadlines[b]!
    return first < second || (first === second && a < b)
  }
  return {
    push(member) {
      let at = size++
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (!before(member, items[parent]!)) break
        items[at] = items[parent]!
        at = parent
      }
      items[at] = member
    },
    pop() {
      const first = items[0]!
      const last = items[--size]!
      let at = 0
      for (let child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && before(items[child + 1]!, items[child]!)) child++
        if (!before(items[child]!, last)) break
        items[at] = items[child]!
        at = child
      }
      items[at] = last
      return first
    },
  }
}
