/**
 * What the agent in the pod and the session daemon on the workstation say to each other.
 * The agent owns this file; adapter/tunnel imports it. It has no dependencies: the agent is one small file that starts fast.
 *
 * A tunnel is two TCP connections to the agent's tunnel port, told apart by their role. On each of them:
 *
 *   agent  → daemon   hello   8 bytes magic "KLTUNNEL", 1 byte version, 32 bytes nonce
 *   daemon → agent    answer  1 byte version, 1 byte role, 16 bytes tunnel id, 64 bytes Ed25519 signature
 *   agent  → daemon   status  1 byte
 *
 * and after status 0 plain HTTP/2 with prior knowledge (RFC 9113). The signature is over `signedBytes`, so it is worth
 * nothing in another session, for another role or on another connection. The tunnel id, chosen at random by the daemon,
 * says which two connections belong together; the first connection with a new id replaces the tunnel before it.
 *
 * role outbound  the daemon is the HTTP/2 client. CONNECT `:authority` host:port makes the agent dial that address.
 *                Response 200: connected. 502: not connected, the header `errorHeader` has the system's error code; the
 *                daemon then resets the stream. Data may be sent before the response.
 * role inbound   the agent is the HTTP/2 client. Each TCP connection to a port of the pod is a CONNECT with `:authority`
 *                pod:port and the client's address in `sourceAddressHeader` and `sourcePortHeader`.
 *
 * END_STREAM carries the end of one direction (a TCP FIN). RST_STREAM with an error code carries a TCP reset; with NO_ERROR
 * after END_STREAM it says that nobody reads the other direction any more.
 */

export const protocolVersion = 1;

/** The environment variable of the agent's container that holds its configuration as JSON. */
export const agentConfigurationVariable = 'KUBERNETES_LOCAL_AGENT';

/** Everything the agent is told. Nothing in it is secret: the key is the public half. */
export interface AgentConfiguration {
  version: 1;
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

/** Reads the agent's configuration from its JSON text. Throws an Error that names the wrong field. */
export function parseAgentConfiguration(json: string): AgentConfiguration {
  try {
    const fields = record(JSON.parse(json));
    const { version, ports } = fields;
    if (version !== protocolVersion)
      throw new Error(`version is ${String(version)}, this agent knows ${protocolVersion}`);
    if (!Array.isArray(ports)) throw new Error('ports is not a list');
    const configuration: AgentConfiguration = {
      version,
      session: text('session', fields.session),
      publicKey: text('publicKey', fields.publicKey),
      tunnelPort: port('tunnelPort', fields.tunnelPort),
      healthPort: port('healthPort', fields.healthPort),
      ports: ports.map((value, index) => port(`ports[${index}]`, value)),
    };
    const all = [configuration.tunnelPort, configuration.healthPort, ...configuration.ports];
    if (new Set(all).size !== all.length) throw new Error('tunnelPort, healthPort and ports are not all different');
    return configuration;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${agentConfigurationVariable}: ${reason}`, { cause: error });
  }
}

export type Role = 'outbound' | 'inbound';

const roleBytes: Readonly<Record<Role, number>> = { outbound: 1, inbound: 2 };

/** The agent's verdict on a connection, as the byte on the wire. */
export const status = { accepted: 0, versionUnknown: 1, signatureRefused: 2, malformed: 3 } as const;

const magic = Buffer.from('KLTUNNEL', 'latin1');
const nonceLength = 32;
const tunnelIdLength = 16;
const signatureLength = 64;

export const helloLength = magic.length + 1 + nonceLength;
export const answerLength = 1 + 1 + tunnelIdLength + signatureLength;

/** The first bytes on a tunnel connection, agent to daemon. `nonce` must be 32 fresh random bytes. */
export function encodeHello(nonce: Uint8Array): Buffer {
  return Buffer.concat([magic, Buffer.of(protocolVersion), nonce]);
}

/** Reads a hello; throws an Error if the peer is no agent of a version we know. */
export function decodeHello(bytes: Buffer): { nonce: Buffer } {
  if (bytes.length !== helloLength || !bytes.subarray(0, magic.length).equals(magic)) {
    throw new Error('what listens on the tunnel port is not the agent');
  }
  const version = bytes.readUInt8(magic.length);
  if (version !== protocolVersion) {
    throw new Error(
      `the agent speaks version ${version} of the tunnel protocol, this program version ${protocolVersion}`,
    );
  }
  return { nonce: bytes.subarray(magic.length + 1) };
}

/** What the daemon says on one connection. */
export interface Answer {
  readonly role: Role;
  /** 16 random bytes, the same on both connections of a tunnel. */
  readonly tunnelId: Buffer;
  readonly signature: Buffer;
}

/** The daemon's answer to a hello. */
export function encodeAnswer(answer: Answer): Buffer {
  return Buffer.concat([Buffer.of(protocolVersion, roleBytes[answer.role]), answer.tunnelId, answer.signature]);
}

/** Reads an answer; what is wrong with it comes back as the status byte to send. */
export function decodeAnswer(bytes: Buffer): Answer | number {
  if (bytes.readUInt8(0) !== protocolVersion) return status.versionUnknown;
  const roleByte = bytes.readUInt8(1);
  const role = roleByte === roleBytes.outbound ? 'outbound' : roleByte === roleBytes.inbound ? 'inbound' : undefined;
  if (role === undefined || bytes.length !== answerLength) return status.malformed;
  return { role, tunnelId: bytes.subarray(2, 2 + tunnelIdLength), signature: bytes.subarray(2 + tunnelIdLength) };
}

/** The bytes the daemon signs: a context of their own, then everything that must not be exchanged for something else. */
export function signedBytes(session: string, role: Role, tunnelId: Uint8Array, nonce: Uint8Array): Buffer {
  const name = Buffer.from(session, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([
    Buffer.from(`kubernetes-local tunnel ${protocolVersion}\0`, 'latin1'),
    length,
    name,
    Buffer.of(roleBytes[role]),
    tunnelId,
    nonce,
  ]);
}

/** Response header with the system's error code of a dial that failed, such as ECONNREFUSED. */
export const errorHeader = 'kubernetes-local-error';
export const sourceAddressHeader = 'kubernetes-local-source-address';
export const sourcePortHeader = 'kubernetes-local-source-port';

/** `host:port` for `:authority`, with brackets around an IPv6 address. */
export function formatAuthority(host: string, portNumber: number): string {
  return host.includes(':') ? `[${host}]:${portNumber}` : `${host}:${portNumber}`;
}

/** The parts of an `:authority`; undefined if it is not host:port. */
export function parseAuthority(authority: unknown): { host: string; port: number } | undefined {
  if (typeof authority !== 'string') return undefined;
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  const portNumber = Number(match?.[3]);
  if (host === undefined || portNumber < 1 || portNumber > 65535) return undefined;
  return { host, port: portNumber };
}
