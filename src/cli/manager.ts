/** The service manager that started us, by the environment that it gave (systemd). */
import type { ManagerOptions } from '../daemon/manager.ts'
import { notifyManager } from '../kernel/notify.ts'

export function serviceManager(): ManagerOptions {
  const { NOTIFY_SOCKET: address, WATCHDOG_USEC: watchdog, WATCHDOG_PID: pid } = process.env
  const isOurs = pid === undefined || Number(pid) === process.pid
  const watchdogMs = Number(watchdog) / 1000
  return {
    notify: address ? (message) => notifyManager(address, message) : undefined,
    watchdogMs: isOurs && watchdogMs > 0 ? watchdogMs : undefined,
  }
}
