/**
 * What the agent in the pod and the session daemon on the workstation say to each other.
 * The agent owns this file; adapter/tunnel imports it. It has no dependencies: the agent is one small file that starts fast.
 * docs/tunnel-protocol.md says it byte for byte, with an example; a test holds page and code together.
 *
 * A tunnel is two TCP connections to the agent's tunnel port, told apart by their role. On each of them:
 *
 *   agent  → daemon   hello   8 bytes magic "KLTUNNEL", 1 byte highest and 1 byte lowest version that the agent speaks, 44 bytes
 *                             the agent's public key, 32 bytes nonce
 *   daemon → agent    answer  1 byte the version chosen, 1 byte role, 16 bytes tunnel id, 32 bytes nonce, 64 bytes signature
 *   agent  → daemon   status  1 byte, and if it is 0 another 64 bytes signature
 *
 * and after status 0 plain HTTP/2 with prior knowledge (RFC 9113). Both signatures are Ed25519 over `signedBytes`: each side
 * signs the range and the version, so that nobody between them makes them speak an older one, and the nonce of the other, so a signature is worth nothing in another session, for another role, to another agent or on another
 * connection. The agent makes its key pair when it starts and writes the public half into its log (`keyMessage`); the daemon
 * reads it there, over the API, and says nothing to an agent that shows another one. Keys are in their SPKI DER form. The
 * tunnel id, chosen at random by the daemon, says which two connections belong together; the first connection with a new id
 * replaces the tunnel before it.
 *
 * role outbound  the daemon is the HTTP/2 client. CONNECT `:authority` host:port makes the agent dial that address.
 *                Response 200: connected. 502: not connected, the header `errorHeader` has the system's error code; the
 *                daemon then resets the stream. Data may be sent before the response.
 *                With `transportHeader` (version 3) the agent opens a UDP socket for that address instead; data in both
 *                directions are the frames of datagrams.ts.
 *                GET, PUT and DELETE with a `:path` beneath /files/ are about the files of the pod's volumes:
 *
 *   GET    /files/list?root=R           200, then one JSON object a line, a FileEntry for all beneath R, and R itself first
 *                                       with the path "". A folder that cannot be read has `error`. Nothing is followed.
 *   GET    /files/content?root=R&path=P 200 (206 with a request header `range: bytes=FIRST-LAST`), `content-length`, the
 *                                       entry's `versionHeader` and `modeHeader`, then the bytes. The trailer `versionHeader`
 *                                       is the version after the last byte: if it differs, the file changed meanwhile.
 *   PUT    /files/content?root=R&path=P the request has `content-length`, `expectedHeader`, `modeHeader` (octal; a file that is
 *                                       there keeps its own) and the bytes. They go into a temporary file of the same folder,
 *                                       which then takes the name. 200 with the new `versionHeader`.
 *   PUT    /files/folder?root=R&path=P  makes a folder, with `modeHeader`.
 *   PUT    /files/link?root=R&path=P&target=T  makes a symbolic link, or exchanges one, with `expectedHeader`.
 *   DELETE /files/entry?root=R&path=P   removes a file, a link or an empty folder, with `expectedHeader`.
 *
 *                R is one of the configuration's roots, for PUT and DELETE a writable one. P is relative to it, "/" between
 *                names, none of them empty, "." or "..". R, P and T are bytes in percent-encoding; in JSON and in `expectedHeader`
 *                bytes are text of one character (U+0000 to U+00FF) a byte. Every other answer is a status of 400 and above
 *                with `errorHeader`: the system's error code, or ESTALE where `expectedHeader` is not the version in the pod.
 * role inbound   the agent is the HTTP/2 client. Each TCP connection to a port of the pod is a CONNECT with `:authority`
 *                pod:port, the client's address in `sourceAddressHeader` and `sourcePortHeader`, and the address of the
 *                pod that it called in `destinationAddressHeader`.
 *
 * role guest     somebody else than the session's holder, with a key of their own that the holder named before. One connection,
 *                beside the holder's tunnel; a second one of the same guest replaces the first. As outbound, but of the requests
 *                only CONNECT and GET: status 403 for all others.
 *
 * The holder names guests on the outbound connection:
 *
 *   POST   /guests                      a JSON list of at most `guestLimit` of {"publicKey": base64, "name": text}, which takes
 *                                       the place of the one before; who is not in it any more loses the connection. 200, or
 *                                       400 and `errorHeader` EINVAL.
 *
 * END_STREAM carries the end of one direction (a TCP FIN). RST_STREAM with an error code carries a TCP reset; with NO_ERROR
 * after END_STREAM it says that nobody reads the other direction any more.
 */
import { firstNegotiated, protocolVersion, type VersionRange } from './versions.ts';

export { protocolVersion };

/** The form of the agent's configuration; that of the wire is negotiated. Fields that an agent does not know it leaves out. */
export const configurationVersion = 2;

/** The environment variable of the agent's container that holds its configuration as JSON. */
export const agentConfigurationVariable = 'KUBERNETES_LOCAL_AGENT';

/** Everything the agent is told. Nothing in it is secret: the key is the public half. */
export interface AgentConfiguration {
  /** From 1 to `configurationVersion`; an agent reads what is not newer than itself. */
  version: number;
  /** The debugging session the agent belongs to; part of what the daemon signs. */
  session: string;
  /** The session's Ed25519 public key, base64 of its SPKI DER form. */
  publicKey: string;
  /** Port of the tunnel, on 127.0.0.1 inside the pod only. */
  tunnelPort: number;
  /** Port of the health server, on all interfaces. */
  healthPort: number;
  /** TCP ports of the replaced container; connections to them are carried to the workstation. */
  ports: number[];
  /** The folders and files of the pod that the daemon may ask for; absent: none. */
  files?: FilesConfiguration;
}

/** Absolute paths in the agent's container. */
export interface FilesConfiguration {
  roots: string[];
  /** Those of the roots that may be changed. */
  writable: string[];
}

const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('is not a JSON object');
  return { ...value };
};

const text = (name: string, value: unknown): string => {
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is not a text`);
  return value;
};

const port = (name: string, value: unknown): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65535) {
    throw new Error(`${name} is not a port between 1 and 65535`);
  }
  return value;
};

const paths = (name: string, value: unknown): string[] => {
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value.map((path, index) => {
    const given = text(`${name}[${index}]`, path);
    if (!given.startsWith('/')) throw new Error(`${name}[${index}] is not an absolute path`);
    return given;
  });
};

const filesOf = (value: unknown): FilesConfiguration => {
  const { roots, writable } = record(value);
  const files = { roots: paths('files.roots', roots), writable: paths('files.writable', writable) };
  const stray = files.writable.find((path) => !files.roots.includes(path));
  if (stray !== undefined) throw new Error(`${stray} of files.writable is not one of files.roots`);
  return files;
};

/** Reads the agent's configuration from its JSON text. Throws an Error that names the wrong field. */
export function parseAgentConfiguration(json: string): AgentConfiguration {
  try {
    const fields = record(JSON.parse(json));
    const { version, ports } = fields;
    const known = typeof version === 'number' && Number.isInteger(version) && version >= 1;
    if (!known || version > configurationVersion) {
      throw new Error(`version is ${String(version)}, this agent knows 1 to ${configurationVersion}`);
    }
    if (!Array.isArray(ports)) throw new Error('ports is not a list');
    const configuration: AgentConfiguration = {
      version,
      session: text('session', fields.session),
      publicKey: text('publicKey', fields.publicKey),
      tunnelPort: port('tunnelPort', fields.tunnelPort),
      healthPort: port('healthPort', fields.healthPort),
      ports: ports.map((value, index) => port(`ports[${index}]`, value)),
      ...(fields.files !== undefined && { files: filesOf(fields.files) }),
    };
    const all = [configuration.tunnelPort, configuration.healthPort, ...configuration.ports];
    if (new Set(all).size !== all.length) throw new Error('tunnelPort, healthPort and ports are not all different');
    return configuration;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${agentConfigurationVariable}: ${reason}`, { cause: error });
  }
}

/** `:path` of the request with the list of guests. */
export const guestsPath = '/guests';

/** The guests that an agent admits at most. */
export const guestLimit = 8;

/** Somebody whom the session's holder lets look, see the role `guest`. */
export interface Guest {
  /** Ed25519, base64 of its SPKI DER form. */
  readonly publicKey: string;
  /** Who it is, for the log. */
  readonly name: string;
}

/** What the agent's log calls the line with its `publicKey`, base64. */
export const keyMessage = 'agent key';

/** The line is written again each time the log has grown by so many lines, for logs are rotated. */
export const keyAgainAfterLines = 200;

export type Role = 'outbound' | 'inbound' | 'guest';

const roleBytes: Readonly<Record<Role, number>> = { outbound: 1, inbound: 2, guest: 3 };
const roles: ReadonlyMap<number, Role> = new Map([
  [1, 'outbound'],
  [2, 'inbound'],
  [3, 'guest'],
]);

/** The agent's verdict on a connection, as the byte on the wire. */
export const status = { accepted: 0, versionUnknown: 1, signatureRefused: 2, malformed: 3 } as const;

const magic = Buffer.from('KLTUNNEL', 'latin1');
/** Both nonces are fresh random bytes. */
export const nonceLength = 32;
export const tunnelIdLength = 16;
/** An Ed25519 key in SPKI DER form (RFC 8410). */
const keyLength = 44;
export const signatureLength = 64;

/** Magic and highest version, which say how long the rest is. */
export const helloHeadLength = magic.length + 1;
/** Bytes that follow the head of a hello. */
export const helloRestLength = (highest: number): number =>
  (highest < firstNegotiated ? 0 : 1) + keyLength + nonceLength;
/** What follows the version. */
export const answerRestLength = 1 + tunnelIdLength + nonceLength + signatureLength;

/** What the agent says first on a connection. */
export interface Hello {
  /** The versions that it speaks. */
  readonly versions: VersionRange;
  /** Its public key, SPKI DER. */
  readonly agentKey: Buffer;
  readonly nonce: Buffer;
}

/** The first bytes on a tunnel connection, agent to daemon. */
export function encodeHello(hello: Hello): Buffer {
  return Buffer.concat([magic, helloBody(hello)]);
}

const helloBody = ({ versions: { highest, lowest }, agentKey, nonce }: Hello): Buffer =>
  Buffer.concat([Buffer.of(highest), highest < firstNegotiated ? Buffer.of() : Buffer.of(lowest), agentKey, nonce]);

/** Reads the head of a hello: the agent's highest version. Throws an Error if the peer is no agent. */
export function decodeHelloHead(head: Buffer): number {
  if (!head.subarray(0, magic.length).equals(magic)) {
    throw new Error('what listens on the tunnel port is not the agent');
  }
  return head.readUInt8(magic.length);
}

/** Reads what follows the head of a hello. */
export function decodeHello(highest: number, rest: Buffer): Hello {
  const keyAt = rest.length - keyLength - nonceLength;
  return {
    versions: { lowest: highest < firstNegotiated ? highest : rest.readUInt8(0), highest },
    agentKey: rest.subarray(keyAt, keyAt + keyLength),
    nonce: rest.subarray(keyAt + keyLength),
  };
}

/** What the daemon says on one connection. */
export interface Answer {
  /** That both go on with. */
  readonly version: number;
  readonly role: Role;
  /** 16 random bytes, the same on both connections of a tunnel. */
  readonly tunnelId: Buffer;
  readonly nonce: Buffer;
  readonly signature: Buffer;
}

/** The daemon's answer to a hello. */
export function encodeAnswer({ version, role, tunnelId, nonce, signature }: Answer): Buffer {
  return Buffer.concat([Buffer.of(version, roleBytes[role]), tunnelId, nonce, signature]);
}

/** Reads what follows the version of an answer; undefined if there is no such role. */
export function decodeAnswer(version: number, rest: Buffer): Answer | undefined {
  const role = roles.get(rest.readUInt8(0));
  if (role === undefined) return undefined;
  const nonceAt = 1 + tunnelIdLength;
  const signatureAt = nonceAt + nonceLength;
  return {
    version,
    role,
    tunnelId: rest.subarray(1, nonceAt),
    nonce: rest.subarray(nonceAt, signatureAt),
    signature: rest.subarray(signatureAt),
  };
}

/** What a signature is about: all that must not be exchanged for something else. */
export interface Greeting {
  readonly version: number;
  readonly session: string;
  readonly role: Role;
  readonly tunnelId: Buffer;
  readonly hello: Hello;
  readonly daemonNonce: Buffer;
}

/** The bytes that `signer` signs: a context of their own, so that neither side's signature passes for the other's. */
export function signedBytes(signer: 'daemon' | 'agent', greeting: Greeting): Buffer {
  const name = Buffer.from(greeting.session, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([
    Buffer.from(`kubernetes-local tunnel ${greeting.version} ${signer}\0`, 'latin1'),
    length,
    name,
    Buffer.of(roleBytes[greeting.role]),
    greeting.tunnelId,
    ...(greeting.version < firstNegotiated
      ? [greeting.hello.agentKey, greeting.hello.nonce]
      : [helloBody(greeting.hello)]),
    greeting.daemonNonce,
  ]);
}

/**
 * The error code (CANCEL, RFC 9113 section 7) of the GOAWAY with which the daemon says goodbye. Without it a tunnel is lost,
 * and the agent waits some seconds for the next one. NO_ERROR would not do: it lets streams end as if all their data had come.
 */
export const goodbyeCode = 8;

/** Response header with the system's error code of a dial that failed, such as ECONNREFUSED. */
export const errorHeader = 'kubernetes-local-error';
/** Request header of a CONNECT for datagrams, with the value `datagramTransport`; absent: TCP. */
export const transportHeader = 'kubernetes-local-transport';
export const datagramTransport = 'udp';
export const sourceAddressHeader = 'kubernetes-local-source-address';
export const sourcePortHeader = 'kubernetes-local-source-port';
/** Request header of an inbound connection: the address of the pod that was called. Agents of version 2 may not send it. */
export const destinationAddressHeader = 'kubernetes-local-destination-address';

/** `host:port` for `:authority`, with brackets around an IPv6 address. */
export function formatAuthority(host: string, portNumber: number): string {
  return host.includes(':') ? `[${host}]:${portNumber}` : `${host}:${portNumber}`;
}

/** A name in DNS is shorter (RFC 1035 section 2.3.4). */
const longestHost = 255;

/** The parts of an `:authority`; undefined if it is not host:port. */
export function parseAuthority(authority: unknown): { host: string; port: number } | undefined {
  if (typeof authority !== 'string') return undefined;
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  const portNumber = Number(match?.[3]);
  if (host === undefined || host.length > longestHost || portNumber < 1 || portNumber > 65535) return undefined;
  return { host, port: portNumber };
}

/** Request header: the version that the daemon believes to be in the pod. What has another one is not touched. */
export const expectedHeader = 'kubernetes-local-expected';
/** Response header and trailer: the version of the entry, as `fileVersion` writes it. */
export const versionHeader = 'kubernetes-local-version';
/** Permission bits in octal. */
export const modeHeader = 'kubernetes-local-mode';

/** Names that begin so are files that the agent has not finished; no volume has them for itself. */
export const temporaryPrefix = '.kubernetes-local-';

export type FileKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device';

/** One line of a listing. */
export interface FileEntry {
  /** Relative to the root, one character a byte. */
  readonly path: string;
  readonly kind: FileKind;
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly mode: number;
  /** Nanoseconds since 1970, in decimal. */
  readonly mtime: string;
  /** Where a symbolic link leads to, one character a byte. */
  readonly target?: string;
  /** Something else is mounted here; what it holds is not listed and cannot be asked for through this root. */
  readonly mount?: true;
  /** The system's error code where the entry, or what is in the folder, could not be read. */
  readonly error?: string;
}

/** What two states of an entry must share to be taken for the same: kind, and size and time or the link's target. */
export function fileVersion(entry: Pick<FileEntry, 'kind' | 'size' | 'mtime' | 'target'> | undefined): string {
  if (entry === undefined) return 'absent';
  if (entry.kind === 'file') return `file ${entry.size} ${entry.mtime}`;
  if (entry.kind === 'symlink') return `symlink ${encodeBytes(entry.target ?? '')}`;
  return entry.kind;
}

/** Percent-encoding of a text that has one character a byte. */
export function encodeBytes(bytes: string): string {
  return bytes.replace(
    /[^A-Za-z0-9._~/-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** The reverse of `encodeBytes`. */
export function decodeBytes(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}

/** The names of a relative path, none for the empty one; undefined if it could lead anywhere else. */
export function pathNames(path: string): readonly string[] | undefined {
  if (path === '') return [];
  const names = path.split('/');
  return names.some((name) => name === '' || name === '.' || name === '..' || name.includes('\0')) ? undefined : names;
}
