import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { cpuSeconds, processesBeneath, residentKilobytes } from './processes.ts';

it('counts the CPU time of this process', () => {
  const before = cpuSeconds(process.pid);
  const own = process.cpuUsage();
  const used = () => {
    const { user, system } = process.cpuUsage(own);
    return (user + system) / 1e6;
  };
  while (used() < 0.3);
  // The system counts in hundredths of a second.
  expect(cpuSeconds(process.pid) - before).toBeGreaterThan(0.25);
  expect(cpuSeconds(process.pid) - before).toBeLessThan(used() + 0.05);
});

it('knows the memory that this process holds', () => {
  const before = residentKilobytes(process.pid);
  const held = Buffer.alloc(64 * 1024 * 1024, 1);
  expect(residentKilobytes(process.pid) - before).toBeGreaterThan(48 * 1024);
  expect(held.at(-1)).toBe(1);
});

it('finds a process by its command line beneath an ancestor, and not beneath another process', async () => {
  const child = spawn('sleep', ['86399'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const stranger = spawn('sleep', ['86398'], { stdio: 'ignore' });
  await once(stranger, 'spawn');
  try {
    expect(processesBeneath(process.pid, 'sleep 86399')).toEqual([child.pid]);
    expect(processesBeneath(stranger.pid ?? 0, 'sleep 86399')).toEqual([]);
  } finally {
    child.kill();
    stranger.kill();
  }
});
