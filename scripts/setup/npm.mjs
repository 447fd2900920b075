// @ts-check
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exec, root } from './exec.mjs'

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} Locked */

/**
 * @param {string} file
 * @returns {Record<string, Locked> | undefined}
 */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Whether node_modules holds what package-lock.json says, going by npm's own record of it. */
function isCurrent() {
  const wanted = lockedPackages('package-lock.json')
  const installed = lockedPackages('node_modules/.package-lock.json')
  if (wanted === undefined || installed === undefined) return false
  // Optional packages are those of other platforms, too.
  const present = Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = installed[path]
    if (path === '') return true
    return found === undefined ? optional : found.version === version && found.integrity === integrity
  })
  return present && Object.keys(installed).every((path) => path in wanted)
}

/** Installs the npm packages of package-lock.json, unless they are there. */
export async function ensureNodeModules() {
  if (isCurrent()) return
  console.log('Installing npm packages')
  // Whatever NODE_ENV says: the build needs the development packages. None needs an install script.
  await exec('npm', ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'])
}
