import { describe, expect, it } from 'vitest';
import { parseSocketTable, userOfConnection } from './socket-table.ts';

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

  it('reads UDP sockets, without those that are connected', () => {
    const text = `${header}\n${line('0100007F:0035', '07', 0, 7)}\n${line('0100007F:1F90', '01', 0, 8)}\n`;
    expect(parseSocketTable(text, 'UDP')).toEqual([{ address: '127.0.0.1', port: 53, uid: 0, inode: '7' }]);
    expect(parseSocketTable(text)).toEqual([]);
  });

  it('leaves out connections', () => {
    expect(parseSocketTable(`${header}\n${line('0100007F:1F90', '01', 0, 1)}\n`)).toEqual([]);
  });
});

describe('userOfConnection', () => {
  const row = (local: string, remote: string, state: string, uid: number) =>
    `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 5 1 0000000000000000 100 0`;
  const ours = { address: '127.0.0.1', port: 8080 };
  const peer = { address: '127.0.0.1', port: 40_000 };
  const [at8080, at40000] = ['0100007F:1F90', '0100007F:9C40'];

  it('tells the owner of the other end, not of ours', () => {
    const table = [header, row(at8080, at40000, '01', 0), row(at40000, at8080, '01', 1001)].join('\n');
    expect(userOfConnection(table, peer, ours)).toBe(1001);
  });

  it('knows an end that speaks IPv6', () => {
    const mapped = (end: string) => `0000000000000000FFFF0000${end}`;
    const table = [header, row(mapped(at40000), mapped(at8080), '01', 1002)].join('\n');
    expect(userOfConnection(table, peer, ours)).toBe(1002);
  });

  it.each(['04', '05', '06', '08'])('does not believe the root of an end in state %s', (state) => {
    expect(userOfConnection([header, row(at40000, at8080, state, 0)].join('\n'), peer, ours)).toBeUndefined();
  });

  it('is not led astray by another connection of the same port', () => {
    const table = [header, row(at40000, '0100007F:1F91', '01', 0), row('0200007F:9C40', at8080, '01', 0)].join('\n');
    expect(userOfConnection(table, peer, ours)).toBeUndefined();
  });
});
