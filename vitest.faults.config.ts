// The fault suite: the built app as real processes, killed and stopped by pid. `npm run test:faults`.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/global-build.ts', 'test/support/global-postgres.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    // Mostly waits for leases to end: more at once than there are cores.
    maxWorkers: 3,
    maxConcurrency: 20,
  },
})
