import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          globalSetup: ['test/tools.ts'],
          include: [
            'adapter/**/*.test.ts',
            'agent/**/*.test.ts',
            'test/cluster/**/*.test.ts',
            'test/docs/**/*.test.ts',
            'test/{probes,apps,api-clients,templates,faults,load,bench,dependencies}/**/*.test.ts',
          ],
          // For what hangs, not for what is slow: many of them start programs, on a computer that is busy with the others.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'debuggers',
          include: ['test/debuggers/**/*.test.ts', 'test/clients/**/*.test.ts'],
          globalSetup: ['test/debuggers/setup.ts'],
          // They mostly wait: for debuggers, and for the time limits of clients.
          maxWorkers: 3,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/cluster.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
