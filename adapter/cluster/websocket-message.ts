/** What the package ws gives for a message. */
import type { RawData } from 'ws';

/** Its bytes in one piece. */
export function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
