/**
 * A shell and small tools inside the cluster: sidecars, `kubectl exec … wget`, a place to look from.
 * Debian 12's static busybox crashes on `wget -T`; say `timeout 5 wget …`.
 */
import { ensurePackages } from '../packages.ts';
import type { ImageArchive, Layer } from './archive.ts';
import { cachedImage, cachedLayer, fileStamp } from './cache.ts';

/** The Debian packages whose files go into the image. */
export const busyboxPackages = ['busybox-static'] as const;

const busybox = '/bin/busybox';
const applets =
  'awk base64 cat cp cut date df dirname echo env expr false find free grep head hostname id ip kill ln ls mkdir mv nc netstat nslookup printf ps pwd rm sed seq sh sha256sum sleep sort stat tail tar tee test timeout touch tr true uname uniq vi wc wget which xargs yes'.split(
    ' ',
  );

/** The layer with the shell and its tools. The packages must be installed. */
export async function busyboxLayer(cacheDirectory: string): Promise<Layer> {
  return cachedLayer(
    cacheDirectory,
    { name: 'busybox', source: import.meta.filename, inputs: [await fileStamp(busybox)] },
    async (root) => {
      await root.addEssentials();
      await root.copy(busybox, '/bin/busybox');
      for (const applet of applets) await root.link(`/bin/${applet}`, 'busybox');
    },
  );
}

/** Builds `kubernetes-local.test/busybox:1`; it sleeps until it is told to end. */
export async function buildBusyboxImage(
  cacheDirectory: string,
  onProgress: (text: string) => void = () => {},
): Promise<ImageArchive> {
  await ensurePackages(busyboxPackages, onProgress);
  return cachedImage(cacheDirectory, {
    name: 'kubernetes-local.test/busybox:1',
    layers: [await busyboxLayer(cacheDirectory)],
    entrypoint: [],
    // A shell that is process 1 ignores SIGTERM unless it asks for it.
    command: ['/bin/sh', '-c', 'trap exit TERM; while :; do sleep 3600 & wait $!; done'],
    user: '65532:65532',
  });
}
