/** Networks of virtual machines for tests: see `createLab`. */
export { httpPort, udpPort, type Backend } from './lab/backend.ts'
export { type Client, type Connection, type Tally, type Target, type Traffic } from './lab/client.ts'
export { type Host } from './lab/host.ts'
export { createLab, lbEnv, type CliOutcome, type Lab } from './lab/lab.ts'
export { type Outcome, type RunOptions } from './lab/run.ts'
export { vip, type Addresses, type Shape } from './lab/topology.ts'
