/** `fieldRef`: the pod's own fields as text (kubelet: podFieldSelectorRuntimeValue; only the fields that the API allows for variables). */
import type { Pod } from './pod.ts';

const subscripted = /^metadata\.(labels|annotations)\['(.*)'\]$/s;

/** The text of a field of the pod; a label or annotation it does not have is empty. Undefined: no such field is known. */
export function fieldValue(pod: Pod, path: string): string | undefined {
  const { metadata, spec, status } = pod;
  const [, map, key] = subscripted.exec(path) ?? [];
  if (map !== undefined && key !== undefined) {
    const entries = map === 'labels' ? metadata.labels : metadata.annotations;
    return Object.hasOwn(entries, key) ? entries[key] : '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'spec.nodeName':
      return spec.nodeName;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName;
    case 'status.hostIP':
      return status.hostIP;
    case 'status.hostIPs':
      return addresses(status.hostIPs, status.hostIP);
    case 'status.podIP':
      return status.podIP;
    case 'status.podIPs':
      return addresses(status.podIPs, status.podIP);
    default:
      return undefined;
  }
}

function addresses(all: readonly { ip: string }[], primary: string): string {
  return all.length === 0 ? primary : all.map(({ ip }) => ip).join(',');
}
