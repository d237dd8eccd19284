/**
 * Programs for the debug adapters that are known to leave their program behind when they are killed: each prints a line
 * again and again, and has started a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { DapClient } from '../dap-client.ts';
import { type RealDebuggers, realDebuggers } from '../debuggers/install.ts';
import type { World } from '../stage/world.ts';
import { cartConfiguration, startAdapter } from './cart-session.ts';
import type { Launch } from './kill-sessions.ts';

export interface Debugged {
  readonly delegate: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly source: string;
}

const sources = {
  'tick.js': `
const { spawn } = require('node:child_process');
spawn('sleep', ['100000'], { stdio: 'ignore' });
setInterval(() => {
  console.log('tick'); // stop here
}, 100);
`,
  'tick.go': `package main

import (
	"fmt"
	"os/exec"
	"time"
)

func main() {
	if err := exec.Command("sleep", "100000").Start(); err != nil {
		panic(err)
	}
	for {
		fmt.Println("tick") // stop here
		time.Sleep(100 * time.Millisecond)
	}
}
`,
  'tick.c': `#include <stdio.h>
#include <unistd.h>

int main(void) {
  if (fork() == 0) return execlp("sleep", "sleep", "100000", (char *)0);
  for (;;) {
    puts("tick"); /* stop here */
    fflush(stdout);
    usleep(100000);
  }
}
`,
} as const;

/** Builds the programs in this folder. */
export async function buildPrograms(folder: string): Promise<readonly Debugged[]> {
  const { gcc, go } = await realDebuggers();
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text);
  const run = (program: string, args: readonly string[], env?: RealDebuggers['go']['environment']) =>
    execFileSync(program, args, { cwd: folder, env: { ...process.env, ...env }, stdio: 'inherit' });
  run(gcc, ['-g', '-O0', '-o', 'tick-c', 'tick.c']);
  run(go.program, ['build', '-gcflags=all=-N -l', '-o', 'tick-go', 'tick.go'], go.environment);
  return [
    { delegate: { type: 'node', program: join(folder, 'tick.js') }, source: join(folder, 'tick.js') },
    { delegate: { type: 'dlv', mode: 'exec', program: join(folder, 'tick-go') }, source: join(folder, 'tick.go') },
    { delegate: { type: 'lldb-dap', program: join(folder, 'tick-c') }, source: join(folder, 'tick.c') },
  ];
}

/** Launches such a program. */
export function launching(world: World, { delegate, source }: Debugged): Launch {
  return async (phase) => {
    const client = await startAdapter(world, '--delegate', delegate.type);
    const initialized = client.waitForEvent('initialized');
    const launched = client.request(
      'launch',
      cartConfiguration(world, { delegate: { request: 'launch', ...delegate } }),
    );
    await Promise.race([initialized, launched]);
    if (phase === 'stopped') await breakAt(client, source);
    await Promise.all([initialized, client.request('configurationDone'), launched]);
    if (phase === 'stopped') await client.waitForEvent('stopped');
    else {
      await client.waitForEvent<DebugProtocol.OutputEvent['body']>('output', ({ output }) => output.includes('tick'));
    }
    return client;
  };
}

async function breakAt(client: DapClient, path: string): Promise<void> {
  const text = Object.entries(sources).find(([name]) => path.endsWith(name))?.[1] ?? '';
  const line = text.split('\n').findIndex((each) => each.includes('stop here')) + 1;
  await client.request('setBreakpoints', { source: { path }, breakpoints: [{ line }] });
}
