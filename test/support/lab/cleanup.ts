import { existsSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isStale, type LabNames } from './names.ts'
import { run } from './run.ts'

const pinFolder = '/sys/fs/bpf/lb'

/** Removes all that a lab has made: processes, networks, pins, files. Works from the names alone. */
export async function removeLab({ namespacePrefix, instance }: LabNames): Promise<void> {
  await removeNamespaces(list('/run/netns').filter((name) => name.startsWith(namespacePrefix)))
  removeInstance(instance)
  removeFolders(list(tmpdir()).filter((name) => name.startsWith(namespacePrefix)))
}

/** Deletes namespaces, with the interfaces and whatever still runs in them; also while another does. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const name of names.filter(exists)) {
    // A namespace lives on while a process is in it. Only a lab puts processes into its own.
    const { stdout } = await run(['ip', 'netns', 'pids', name])
    for (const pid of stdout.split('\n').filter(Boolean)) kill(Number(pid))
    const { stderr } = await run(['ip', 'netns', 'delete', name])
    if (exists(name)) throw new Error(`cannot delete namespace ${name}: ${stderr}`)
  }
}

const exists = (namespace: string) => existsSync(join('/run/netns', namespace))

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Unpins everything of an instance. A link that is pinned nowhere detaches its program. */
function removeInstance(instance: string): void {
  rmSync(join(pinFolder, instance), { recursive: true, force: true })
}

function removeFolders(names: readonly string[]): void {
  for (const name of names) rmSync(join(tmpdir(), name), { recursive: true, force: true })
}

/** Removes what labs of killed processes left behind; says what that was. */
export async function sweep(): Promise<string[]> {
  const namespaces = list('/run/netns').filter(isStale)
  const instances = list(pinFolder).filter(isStale)
  const folders = list(tmpdir()).filter(isStale)
  await removeNamespaces(namespaces)
  for (const instance of instances) removeInstance(instance)
  removeFolders(folders)
  return [...namespaces, ...instances, ...folders]
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
