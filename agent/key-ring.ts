/** Whom the agent obeys: the session's holder, and the guests that the holder named. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Guest, guestLimit, type Role } from './protocol.ts';

/** Reads an Ed25519 key from the base64 of its SPKI DER form. Throws an Error if it is none. */
function readKey(name: string, base64: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
  } catch (error) {
    throw new Error(`${name} is not a public key`, { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${name} is not an Ed25519 key`);
  return key;
}

/** The form in which a key is compared: the same key can be written in more than one base64. */
const canonical = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');

/** Reads the JSON of `POST /guests`. Throws an Error that says what is wrong with it. */
export function parseGuests(json: string): readonly Guest[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) throw new Error('the guests are not a list');
  return list.map((entry: unknown, index) => {
    const isGuest = typeof entry === 'object' && entry !== null && 'publicKey' in entry && 'name' in entry;
    if (!isGuest || typeof entry.publicKey !== 'string' || typeof entry.name !== 'string') {
      throw new Error(`guest ${index} has no publicKey or no name`);
    }
    return { publicKey: entry.publicKey, name: entry.name };
  });
}

export class KeyRing {
  readonly #holder: KeyObject;
  #guests: readonly { readonly guest: Guest; readonly key: KeyObject }[] = [];

  /** Throws an Error if `holder`, base64 of SPKI DER, is not an Ed25519 key. */
  constructor(holder: string) {
    this.#holder = readKey('publicKey', holder);
  }

  /** Those who are admitted now; their keys all in the same form. */
  get guests(): readonly Guest[] {
    return this.#guests.map(({ guest }) => guest);
  }

  /**
   * Admits these guests and no others. Throws an Error, and changes nothing, if they are more than `guestLimit`, if a key is
   * not an Ed25519 key, is there twice, or is the holder's.
   */
  setGuests(list: readonly Guest[]): void {
    if (list.length > guestLimit) throw new Error(`more than ${guestLimit} guests`);
    const read = list.map(({ publicKey, name }, index) => {
      const key = readKey(`the key of guest ${index}`, publicKey);
      return { key, guest: { publicKey: canonical(key), name } };
    });
    const keys = [canonical(this.#holder), ...read.map(({ guest }) => guest.publicKey)];
    if (new Set(keys).size !== keys.length) throw new Error('a key is there twice');
    this.#guests = read;
  }

  /** Whose signature over `bytes` it is; undefined: nobody's who may have this role. */
  signer(role: Role, bytes: Buffer, signature: Buffer): 'holder' | Guest | undefined {
    if (role !== 'guest') return verify(null, bytes, this.#holder, signature) ? 'holder' : undefined;
    return this.#guests.find(({ key }) => verify(null, bytes, key, signature))?.guest;
  }
}
