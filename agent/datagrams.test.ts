import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { DatagramReader, datagramQueueLimit, frameDatagram, largestDatagram, sendDatagram } from './datagrams.ts';

const read = (chunks: readonly Buffer[]): Buffer[] => {
  const datagrams: Buffer[] = [];
  const reader = new DatagramReader((payload) => datagrams.push(Buffer.from(payload)));
  for (const chunk of chunks) reader.write(chunk);
  return datagrams;
};

const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

describe('frames', () => {
  test('are the length in two bytes, then the datagram', () => {
    expect(frameDatagram(Buffer.from('up:1|c')).toString('hex')).toBe(`0006${Buffer.from('up:1|c').toString('hex')}`);
    expect(frameDatagram(Buffer.alloc(0)).toString('hex')).toBe('0000');
    expect(frameDatagram(Buffer.alloc(258)).subarray(0, 2).toString('hex')).toBe('0102');
  });

  test.each([1, 2, 3, 7, 4096, 1_000_000])('come back from chunks of %d bytes', (size) => {
    const datagrams = [0, 1, 2, 512, 0, 9000, 3].map((length, index) => Buffer.alloc(length, index + 1));
    expect(read(cut(Buffer.concat(datagrams.map(frameDatagram)), size))).toEqual(datagrams);
  });

  test('hold the largest datagram there is, and none above it', () => {
    const largest = Buffer.alloc(largestDatagram, 7);
    expect(read(cut(frameDatagram(largest), 1500))).toEqual([largest]);
    expect(() => frameDatagram(Buffer.alloc(largestDatagram + 1))).toThrow(RangeError);
  });

  test.each([[['ffe4']], [['ff', 'e4']], [['0000ffe4']]])(
    'with a length that UDP cannot have end the reading: %j',
    (chunks) => {
      expect(() => read(chunks.map((hex) => Buffer.from(hex, 'hex')))).toThrow('a datagram of 65508 bytes');
    },
  );

  test('that are not whole give nothing', () => {
    expect(read([Buffer.from('00', 'hex')])).toEqual([]);
    expect(read([Buffer.from('0003aabb', 'hex')])).toEqual([]);
  });
});

describe('sending', () => {
  test('drops what a stream that is not read cannot take, and goes on when it is read', () => {
    const stream = new PassThrough({ readableHighWaterMark: 0, writableHighWaterMark: 1 });
    const payload = Buffer.alloc(10_000);
    let sent = 0;
    while (sendDatagram(stream, payload)) sent += 1;
    expect(stream.writableLength).toBeGreaterThanOrEqual(datagramQueueLimit);
    expect(stream.writableLength).toBeLessThan(datagramQueueLimit + payload.length + 2);
    while (stream.read() !== null);
    expect(sendDatagram(stream, payload)).toBe(true);
    expect(sent).toBeGreaterThan(1);
  });

  test('drops what is too long, and everything after the end', () => {
    const stream = new PassThrough();
    expect(sendDatagram(stream, Buffer.alloc(largestDatagram + 1))).toBe(false);
    expect(sendDatagram(stream, Buffer.alloc(1))).toBe(true);
    stream.end();
    expect(sendDatagram(stream, Buffer.alloc(1))).toBe(false);
  });
});
