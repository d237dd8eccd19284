/** The process table of the system that this is. */
import type { ProcessTable } from './process-table.ts';
import { DarwinProcessTable } from './process-table-darwin.ts';
import { LinuxProcessTable } from './process-table-linux.ts';
import { WindowsProcessTable } from './process-table-windows.ts';

/** The table of this computer. Those of macOS and Windows have only been tried with samples of their tools' output. */
export function processTable(): ProcessTable {
  if (process.platform === 'win32') return new WindowsProcessTable();
  if (process.platform === 'darwin') return new DarwinProcessTable();
  return new LinuxProcessTable();
}
