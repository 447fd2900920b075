import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

/**
 * One project a kind of test, in the order of what they need: plain data, then the kernel, then
 * whole networks. A later kind starts when the earlier ones are done.
 */
function project(name: string, order: number, timeoutSec: number): TestProjectInlineConfiguration {
  return {
    // `using` declarations must be lowered for Node 20.
    oxc: { target: 'es2022' },
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      environment: 'node',
      pool: 'forks',
      maxWorkers: 2,
      sequence: { groupOrder: order },
      testTimeout: timeoutSec * 1000,
      hookTimeout: timeoutSec * 1000,
    },
  }
}

export default defineConfig({
  test: {
    projects: [
      project('unit', 0, 120),
      project('contract', 1, 120),
      project('datapath', 2, 180),
      project('e2e', 3, 300),
    ],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['verbose'],
    passWithNoTests: false,
    allowOnly: false,
  },
})
