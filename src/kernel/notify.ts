/** Messages to the service manager: sd_notify(3). */
import { sendDatagram } from '../../native/index.ts'

/** Where nobody listens, which is no reason for the daemon to end, it gives the error. */
export function notifyManager(address: string, message: string): Error | undefined {
  try {
    sendDatagram(address, new TextEncoder().encode(message))
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
