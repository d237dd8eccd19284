/**
 * The part of SPDY/3.1 that a port-forward needs, as the kubelet and the container runtime speak it (github.com/moby/spdystream):
 * no push, no priorities, and no flow control, for which that library ignores WINDOW_UPDATE. The back-pressure is TCP's.
 *
 * Source: SPDY Protocol Draft 3.1, sections 2.2 and 2.6.
 */
import { constants, deflateRawSync, deflateSync } from 'node:zlib';

/** Length of every frame's head, in bytes. */
export const headLength = 8;

/** Bytes of one DATA frame at most; its length field would allow 16 MiB. The far end reads a frame as a whole. */
export const dataFrameLimit = 128 * 1024;

const version = 3;
const finFlag = 1;
const frameTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;

/** A frame's head, as far as we need it. */
export type FrameHead =
  | { readonly kind: 'data'; readonly stream: number; readonly fin: boolean; readonly length: number }
  | {
      readonly kind: 'synReply' | 'rstStream' | 'ping' | 'goAway' | 'other';
      readonly fin: boolean;
      readonly length: number;
    };

const kinds: ReadonlyMap<number, 'synReply' | 'rstStream' | 'ping' | 'goAway'> = new Map([
  [frameTypes.synReply, 'synReply'],
  [frameTypes.rstStream, 'rstStream'],
  [frameTypes.ping, 'ping'],
  [frameTypes.goAway, 'goAway'],
] as const);

/** Reads the `headLength` bytes with which a frame begins. Throws if they are of another protocol. */
export function readHead(head: Buffer): FrameHead {
  const word = head.readUInt32BE(0);
  const fin = (head.readUInt8(4) & finFlag) !== 0;
  const length = head.readUIntBE(5, 3);
  if (word >>> 31 === 0) return { kind: 'data', stream: word, fin, length };
  if (((word >>> 16) & 0x7fff) !== version) throw new Error('the answer is not SPDY/3');
  return { kind: kinds.get(word & 0xffff) ?? 'other', fin, length };
}

/** The head of a DATA frame; its payload of `length` bytes follows. */
export function dataHead(stream: number, length: number, fin = false): Buffer {
  const head = Buffer.allocUnsafe(headLength);
  head.writeUInt32BE(stream, 0);
  head.writeUInt8(fin ? finFlag : 0, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

/**
 * Opens a stream. All header blocks of a connection are one zlib stream, so it has to be said which block is the first. Nothing
 * is compressed: there is next to nothing in them, and the runtime's inflater starts sooner with what is only stored.
 */
export function synStream(stream: number, headers: Readonly<Record<string, string>>, isFirst: boolean): Buffer {
  const options = { level: 0, finishFlush: constants.Z_SYNC_FLUSH };
  const block = (isFirst ? deflateSync : deflateRawSync)(headerBlock(headers), options);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt32BE(stream, 0);
  return control(frameTypes.synStream, Buffer.concat([fixed, block]));
}

/** Answers a PING: the same frame back. */
export function ping(payload: Buffer): Buffer {
  return control(frameTypes.ping, payload);
}

function control(type: number, payload: Buffer): Buffer {
  const head = Buffer.allocUnsafe(headLength);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  return Buffer.concat([
    number(entries.length),
    ...entries.flat().flatMap((text) => [number(text.length), Buffer.from(text)]),
  ]);
}

function number(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
