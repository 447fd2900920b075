/** What a program of `startChild` does: answers each request. */
export function answer(respond: (request: never) => object | Promise<object>): void {
  const reply = async (request: unknown): Promise<void> => {
    try {
      process.send!(await respond(request as never))
    } catch (error) {
      process.send!({ error: (error as Error).stack ?? String(error) })
    }
  }
  process.on('message', (request: unknown) => void reply(request))
}
