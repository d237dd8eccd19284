import { describe, expect, it } from 'vitest';
import { parseSocketTable } from './socket-table.ts';

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (address: string, state: string, uid: number, inode: number) =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 100 0 0 10 0`;

describe('parseSocketTable', () => {
  it.each([
    ['0100007F:1F90', '127.0.0.1', 8080],
    ['00000000:0050', '0.0.0.0', 80],
    ['00000000000000000000000000000000:0016', '::', 22],
    ['00000000000000000000000001000000:0CEA', '::1', 3306],
    ['0000000000000000FFFF00000100007F:0CEA', '127.0.0.1', 3306],
    ['B80D01200000000067452301EFCDAB89:0001', '2001:db8::123:4567:89ab:cdef', 1],
  ])('reads %s as %s and %i', (local, address, port) => {
    expect(parseSocketTable(`${header}\n${line(local, '0A', 1000, 77)}\n`)).toEqual([
      { address, port, uid: 1000, inode: '77' },
    ]);
  });

  it('leaves out connections', () => {
    expect(parseSocketTable(`${header}\n${line('0100007F:1F90', '01', 0, 1)}\n`)).toEqual([]);
  });
});
