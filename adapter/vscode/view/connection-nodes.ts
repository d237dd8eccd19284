/** What a session that stands consists of, in groups of the tree. */
import type { Connection } from '../../session/protocol.ts';
import { entriesOf } from './file-nodes.ts';
import { type NodeKind, note, sorted, type TreeNode } from './tree-node.ts';

type Service = Connection['services'][number];
type Variable = Connection['environment'][number];
type Mount = Connection['mounts'][number];

const longestValue = 80;

/** The groups beneath a session, without those that have nothing in them. `isRevealed` says which secrets are shown. */
export function connectionNodes(
  key: string,
  connection: Connection,
  isRevealed: (id: string) => boolean,
): readonly TreeNode[] {
  const { services, ports, environment, mounts, pods, network } = connection;
  const groups = [
    group(`${key}/names`, 'Service names', services.length, () =>
      services.map((service) => nameNode(`${key}/names`, service, network.mode)),
    ),
    group(`${key}/ports`, 'Ports', ports.length, () => ports.map((port) => portNode(`${key}/ports`, port))),
    environmentNode(`${key}/environment`, environment, isRevealed),
    group(`${key}/files`, 'Files', mounts.length, () => mounts.map((mount) => mountNode(`${key}/files`, mount))),
    group(`${key}/pods`, 'Pods', pods.length, () => pods.map((pod) => podNode(`${key}/pods`, pod))),
  ].filter((each) => each !== undefined);
  return groups.length === 0 ? [note(`${key}/nothing`, 'It has no names, ports, variables or files.')] : groups;
}

function group(id: string, label: string, count: number, children: () => readonly TreeNode[]): TreeNode | undefined {
  if (count === 0) return undefined;
  const spoken = `${label}, ${count}`;
  return {
    id,
    kind: 'group',
    label,
    description: `${count}`,
    icon: groupIcons[label] ?? 'list-unordered',
    spoken,
    children: () => sorted(children()),
  };
}

const groupIcons: Readonly<Record<string, string>> = {
  'Service names': 'globe',
  Ports: 'plug',
  Environment: 'symbol-variable',
  'Addresses of Services': 'globe',
  Files: 'files',
  Pods: 'server-process',
};

/** Kubernetes makes many variables of each Service, among which the container's own would be lost. */
function environmentNode(
  id: string,
  all: readonly Variable[],
  isRevealed: (id: string) => boolean,
): TreeNode | undefined {
  const nodesOf = (some: readonly Variable[]) => some.map((variable) => variableNode(id, variable, isRevealed));
  const ofServices = all.filter(({ origin }) => origin.startsWith('Service '));
  const others = all.filter((variable) => !ofServices.includes(variable));
  const own = group(id, 'Environment', all.length, () => nodesOf(others));
  const services = group(`${id}/services`, 'Addresses of Services', ofServices.length, () => nodesOf(ofServices));
  if (own === undefined || services === undefined) return own;
  return { ...own, children: () => [...sorted(nodesOf(others)), services] };
}

/** `127.1.0.5:80`, further ports after a comma. */
export function addressOf({ address, ports }: Pick<Service, 'address' | 'ports'>): string {
  const [first, ...others] = ports;
  if (first === undefined) return address;
  const host = address.includes(':') ? `[${address}]` : address;
  return [`${host}:${first.localPort}`, ...others.map(({ localPort }) => `:${localPort}`)].join(', ');
}

function nameNode(id: string, service: Service, mode: Connection['network']['mode']): TreeNode {
  const { names, name, ports, leadsTo } = service;
  const label = names[0] ?? name;
  const place = addressOf(service);
  const moved = ports.filter(({ port, localPort }) => port !== localPort);
  const lines = [
    `${names.length === 0 ? name : names.join(', ')}`,
    ...ports.map(
      ({ port, localPort }) => `port ${port} is at ${addressOf({ ...service, ports: [{ port, localPort }] })}`,
    ),
    `leads to ${leadsTo} in the cluster`,
    ...(mode === 'env' ? ['This name does not resolve here: use the address.'] : []),
  ];
  const described = moved.length === 0 ? place : `${place} for port ${ports.map(({ port }) => port).join(', ')}`;
  return {
    id: `${id}/${name}`,
    kind: 'name',
    label,
    description: described,
    tooltip: lines.join('\n'),
    icon: 'globe',
    spoken: `${label} is ${described}`,
    copy: mode === 'env' ? addressOf({ ...service, ports: ports.slice(0, 1) }) : label,
  };
}

function portNode(id: string, { containerPort, localPort }: Connection['ports'][number]): TreeNode {
  const spoken = `Requests for port ${containerPort} reach 127.0.0.1:${localPort}`;
  return {
    id: `${id}/${containerPort}`,
    kind: 'port',
    label: `${containerPort} → ${localPort}`,
    description: `127.0.0.1:${localPort}`,
    tooltip: `${spoken}.`,
    icon: 'plug',
    spoken,
    copy: `127.0.0.1:${localPort}`,
  };
}

function variableNode(id: string, variable: Variable, isRevealed: (id: string) => boolean): TreeNode {
  const { name, value, origin, secret } = variable;
  const own = `${id}/${name}`;
  const isHidden = secret && !isRevealed(own);
  const kind: NodeKind = !secret ? 'variable' : isHidden ? 'secretHidden' : 'secretShown';
  const shown = isHidden ? 'hidden' : oneLine(value);
  return {
    id: own,
    kind,
    label: name,
    description: shown === '' ? origin : `${shown} (${origin})`,
    tooltip: [`${name}`, `from ${origin}`, isHidden ? 'a secret: its value is hidden' : value].join('\n'),
    icon: secret ? 'lock' : 'symbol-variable',
    spoken: `${name}, from ${origin}, ${isHidden ? 'a secret, hidden' : shown === '' ? 'empty' : shown}`,
    copy: value,
  };
}

function oneLine(value: string): string {
  const line = value.replace(/\s+/g, ' ').trim();
  return line.length > longestValue ? `${line.slice(0, longestValue - 1)}…` : line;
}

function mountNode(id: string, { mountPath, volume, kind, localPath, link, readOnly, note: why }: Mount): TreeNode {
  const own = `${id}${mountPath}`;
  const place = localPath ?? 'left out';
  const lines = [
    mountPath,
    `${readOnly ? 'read-only, ' : ''}volume ${volume} (${kind})`,
    localPath === undefined ? 'left out' : `here at ${localPath}`,
    ...(link === undefined ? [] : [`and at ${link}`]),
    ...(why === undefined ? [] : [why]),
  ];
  return {
    id: own,
    kind: localPath === undefined ? 'note' : 'mount',
    label: mountPath,
    description: link ?? place,
    tooltip: lines.join('\n'),
    icon: localPath === undefined ? 'circle-slash' : 'folder-library',
    spoken: localPath === undefined ? `${mountPath}, left out. ${why ?? ''}`.trim() : `${mountPath} is at ${place}`,
    ...(localPath !== undefined && { copy: link ?? localPath, children: () => entriesOf(own, localPath) }),
  };
}

function podNode(id: string, pod: string): TreeNode {
  return { id: `${id}/${pod}`, kind: 'pod', label: pod, icon: 'server-process', spoken: `Pod ${pod}`, copy: pod };
}
