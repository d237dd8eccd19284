/** Which port of 127.0.0.1 stands for a port in the cluster where names get no address of their own (mode `env`). */
import { createHash } from 'node:crypto';

/** Below what Linux gives to outgoing connections (from 32768), above what servers usually have. */
const range = { first: 20_000, size: 10_000 };

/** Whether a program could listen on 127.0.0.1 at this port now. */
type IsFree = (port: number) => boolean | Promise<boolean>;

/** A port of 20000–29999 by the hash of key and port, the next free one after it. RangeError if none is free. */
export async function chooseLocalPort(key: string, port: number, isFree: IsFree): Promise<number> {
  const start = createHash('sha256').update(`${key}:${port}`).digest().readUInt32BE(0) % range.size;
  for (let step = 0; step < range.size; step++) {
    const candidate = range.first + ((start + step) % range.size);
    if (await isFree(candidate)) return candidate;
  }
  throw new RangeError(`no port is free between ${range.first} and ${range.first + range.size - 1}`);
}
