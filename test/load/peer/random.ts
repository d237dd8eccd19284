/** Data and choices that follow from a seed alone, so that both ends can make them and a failed run can be repeated. */
import { createCipheriv, createHash, type Hash } from 'node:crypto';

const zeros = Buffer.alloc(1 << 20);

/** An endless row of bytes: AES-128 in counter mode, which costs less than hashing the same bytes. */
export class SeededBytes {
  readonly #cipher;

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest().subarray(0, 16);
    this.#cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  }

  /** The next bytes, at most 1 MiB. */
  next(length: number): Buffer {
    return this.#cipher.update(zeros.subarray(0, length));
  }
}

/** Numbers that follow from a seed. */
export class SeededNumbers {
  readonly #bytes: SeededBytes;

  constructor(seed: string) {
    this.#bytes = new SeededBytes(`numbers of ${seed}`);
  }

  /** At least 0, less than 1. */
  fraction(): number {
    return this.#bytes.next(4).readUInt32BE() / 2 ** 32;
  }

  /** A whole number, both limits included. */
  between(lowest: number, highest: number): number {
    return lowest + Math.floor(this.fraction() * (highest - lowest + 1));
  }

  /** Sizes of which each order of magnitude is as frequent as any other. */
  size(smallest: number, largest: number): number {
    return Math.round(smallest * (largest / smallest) ** this.fraction());
  }
}

const smallestChunk = 1;
const largestChunk = 1 << 20;

/** The data of a seed in chunks from 1 byte to 1 MiB, whose sizes follow from the seed too. */
export function* chunksOf(seed: string, length: number): Generator<Buffer, void, undefined> {
  const bytes = new SeededBytes(seed);
  const sizes = new SeededNumbers(seed);
  for (let left = length; left > 0; ) {
    const chunk = bytes.next(Math.min(left, sizes.size(smallestChunk, largestChunk)));
    left -= chunk.length;
    yield chunk;
  }
}

/** The digest of the first bytes of a seed. */
export function digestOf(seed: string, length: number): string {
  const bytes = new SeededBytes(seed);
  const hash = newHash();
  for (let left = length; left > 0; left -= largestChunk) hash.update(bytes.next(Math.min(left, largestChunk)));
  return hash.digest('hex');
}

/** The hash by which all data is compared. */
export function newHash(): Hash {
  return createHash('sha256');
}
