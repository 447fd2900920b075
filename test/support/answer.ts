/** What a program of `startChild` does: answers each request. */
export function answer(respond: (request: never) => object): void {
  process.on('message', (request: unknown) => {
    try {
      process.send!(respond(request as never))
    } catch (error) {
      process.send!({ error: (error as Error).stack ?? String(error) })
    }
  })
}
