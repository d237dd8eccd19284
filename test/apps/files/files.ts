/**
 * The files sample: a Deployment with a volume of every kind, a pod of the same volumes to compare with, and what writes
 * and reads their files from inside the cluster. All of it runs from the busybox image of the sample shop.
 */
import type { Kubectl } from '../../stage/kubectl.ts';
import { removeNamespace } from '../../stage/shop.ts';

const image = 'kubernetes-local.test/busybox:1';

/** The workload that a session replaces. */
export const filesTarget = 'deployment/files';
/** Its container port. */
export const filesPort = 8080;

/** Mount paths whose files are made from the API. */
export const apiMounts = {
  config: '/etc/files/config',
  secret: '/etc/files/secret',
  projected: '/etc/files/projected',
  account: '/var/run/secrets/kubernetes.io/serviceaccount',
} as const;
/** A file that is mounted alone, by `subPath`. */
export const singleFile = '/etc/files/one.properties';
/** Mount paths whose files only the pod has. `huge` holds a file of 1 GiB, `large` one of 3 MB, `onNode` is read-only. */
export const podMounts = {
  scratch: '/scratch',
  data: '/data',
  onNode: '/on-the-node',
  large: '/large',
  huge: '/huge',
} as const;

const key = '-----BEGIN A KEY-----\nQSBrZXk=\n-----END A KEY-----\n';

/** Runs once for each pod, as root: folders that a node makes are root's. Claim and node keep what they have. */
const seed = `set -e
mkdir -p /scratch/deep
echo 'from an emptyDir' > /scratch/deep/file
busybox ln -sf deep/file /scratch/link
busybox dd if=/dev/zero of=/large/blob bs=1000000 count=3
busybox truncate -s 1G /huge/blob
busybox chmod 777 /data
[ -e /data/folder ] || {
  mkdir /data/folder
  echo old > /data/folder/old
  echo original > /data/changed
  echo original > /data/contested
  busybox chmod 777 /data/folder
  busybox chmod 666 /data/changed /data/contested /data/folder/old
}
echo 'from the node' > /on-the-node/file
`;

const volumes = [
  { name: 'config', configMap: { name: 'settings' } },
  { name: 'secret', secret: { secretName: 'keys', items: [{ key: 'tls.key', path: 'tls/key.pem' }] } },
  {
    name: 'projected',
    projected: {
      sources: [
        { configMap: { name: 'settings', items: [{ key: 'GREETING', path: 'config/greeting' }] } },
        { secret: { name: 'keys', items: [{ key: 'password', path: 'secret/password' }] } },
        { downwardAPI: { items: [{ path: 'pod/name', fieldRef: { fieldPath: 'metadata.name' } }] } },
        { serviceAccountToken: { path: 'vault/token', audience: 'vault', expirationSeconds: 600 } },
      ],
    },
  },
  { name: 'scratch', emptyDir: {} },
  { name: 'large', emptyDir: {} },
  { name: 'huge', emptyDir: {} },
  { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
];

const ofThePod = [
  { name: 'scratch', mountPath: podMounts.scratch },
  { name: 'large', mountPath: podMounts.large },
  { name: 'huge', mountPath: podMounts.huge },
  { name: 'data', mountPath: podMounts.data },
];

function podSpec(namespace: string): object {
  const onNode = { name: 'on-node', mountPath: podMounts.onNode };
  return {
    terminationGracePeriodSeconds: 0,
    volumes: [
      ...volumes,
      { name: 'on-node', hostPath: { path: `/tmp/${namespace}/on-node`, type: 'DirectoryOrCreate' } },
    ],
    initContainers: [
      {
        name: 'seed',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sh', '-c', seed],
        securityContext: { runAsUser: 0 },
        volumeMounts: [...ofThePod, onNode],
      },
    ],
    containers: [
      {
        name: 'files',
        image,
        imagePullPolicy: 'IfNotPresent',
        ports: [{ containerPort: filesPort }],
        volumeMounts: [
          { name: 'config', mountPath: apiMounts.config },
          { name: 'config', mountPath: singleFile, subPath: 'app.properties' },
          { name: 'secret', mountPath: apiMounts.secret, readOnly: true },
          { name: 'projected', mountPath: apiMounts.projected },
          ...ofThePod,
          { ...onNode, readOnly: true },
        ],
      },
      // The agent has no shell: this one looks into the volumes of its pod, and changes them from the other side.
      { name: 'peer', image, imagePullPolicy: 'IfNotPresent', volumeMounts: ofThePod },
    ],
  };
}

function objects(namespace: string): readonly object[] {
  const labels = (app: string) => ({ app });
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName(namespace) },
      spec: {
        capacity: { storage: '64Mi' },
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace, name: 'data' },
        hostPath: { path: `/tmp/${namespace}/claim-${Date.now()}`, type: 'DirectoryOrCreate' },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        volumeName: volumeName(namespace),
        resources: { requests: { storage: '1Mi' } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings' },
      data: { GREETING: 'hello', 'app.properties': 'a=1\nb=2\n', EMPTY: '' },
      binaryData: { 'logo.bin': Buffer.of(0xff, 0, 0x89, 0x50).toString('base64') },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys' },
      stringData: { password: 'pass word', 'tls.key': key },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'files' },
      spec: { selector: labels('files'), ports: [{ port: 80, targetPort: filesPort }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'files' },
      spec: {
        selector: { matchLabels: labels('files') },
        template: { metadata: { labels: labels('files') }, spec: podSpec(namespace) },
      },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'twin', labels: labels('twin') }, spec: podSpec(namespace) },
  ];
}

function volumeName(namespace: string): string {
  return `${namespace}-data`;
}

/** Makes the namespace anew, so that nothing of an earlier run is in its volumes, and waits until all of it is ready. */
export async function deployFiles(kubectl: Kubectl, namespace: string): Promise<void> {
  await removeFiles(kubectl, namespace);
  const labels = { 'app.kubernetes.io/managed-by': 'kubernetes-local-stage' };
  await apply(kubectl, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }]);
  await apply(kubectl, objects(namespace), namespace);
  await Promise.all([
    kubectl.run(['rollout', 'status', 'deployment/files', '-n', namespace, '--timeout=120s']),
    kubectl.run(['wait', 'pod/twin', '-n', namespace, '--for=condition=Ready', '--timeout=120s']),
  ]);
}

/** Removes all of it and waits until it is gone. */
export async function removeFiles(kubectl: Kubectl, namespace: string): Promise<void> {
  await removeNamespace(kubectl, namespace);
  await kubectl.run(['delete', 'persistentvolume', volumeName(namespace), '--ignore-not-found', '--timeout=60s']);
}

/** Applies objects, into a namespace if one is given. */
export async function apply(kubectl: Kubectl, items: readonly object[], namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  // Each names its own namespace if it is not in that one.
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl.run(['apply', ...where, '-f', '-'], list);
}

/**
 * A command that lists what is beneath a folder, or tells the contents of a single file: name, mode and SHA-256 of files, targets
 * of links. The same words in a pod and on this computer; `path` is a word of the shell.
 */
export function listing(path: string): readonly string[] {
  return shell(`type readlink > /dev/null || readlink() { busybox readlink "$@"; }
if [ -f ${path} ]; then sha256sum < ${path}; exit; fi
cd ${path} && find . ! -name . | LC_ALL=C sort | while IFS= read -r path; do
  if [ -L "$path" ]; then echo "$path -> $(readlink "$path")"
  elif [ -d "$path" ]; then echo "$path/ $(stat -c %a "$path")"
  else echo "$path $(stat -c %a "$path") $(sha256sum < "$path")"; fi
done`);
}

/** A command for the shell of a pod or of this computer. */
export function shell(text: string): readonly string[] {
  return ['sh', '-c', text];
}

/** A listing without the time in kubelet's folder names, and without the contents of files that are each pod's own. */
export function comparable(text: string): readonly string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/\.\.\d{4}(_\d\d){5}\.\d+/g, '..TIME'))
    .map((line) => (/\/(token|name) /.test(line) ? line.replace(/[0-9a-f]{64}/, 'ITS OWN') : line));
}

/** A listing without modes: files that are copied from a pod are this user's own. */
export function withoutModes(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/(?<=^\S+) [0-7]{3,4}(?= |$)/, ''));
}
