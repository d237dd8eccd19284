/** The probe (probe/probe.go) and wrk: on this computer, and in an image for the pods. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageArchive } from '../../cluster/images/archive.ts';
import { cachedImage, cachedLayer } from '../../cluster/images/cache.ts';
import { ensurePackages } from '../../cluster/packages.ts';
import { imageCache } from '../../stage/cache.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, 'probe');
const wrk = '/usr/bin/wrk';

export const probeImage = 'kubernetes-local.test/bench-probe:1';

/** Builds the probe as one static program, at `file`. */
export async function buildProbe(file: string): Promise<void> {
  await run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', file, '.'], {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
  });
}

/** An image with `/bin/probe`, made of `file`, and `/bin/wrk`. Installs wrk here too if it is missing. */
export async function buildProbeImage(file: string, say: (text: string) => void): Promise<ImageArchive> {
  await ensurePackages(['wrk'], say);
  const inputs = await Promise.all(['go.mod', 'probe.go'].map((name) => readFile(join(source, name), 'utf8')));
  const layer = await cachedLayer(
    imageCache(),
    { name: 'bench-probe', source: import.meta.filename, inputs },
    async (root) => {
      await root.addEssentials();
      await root.copy(file, '/bin/probe');
      await root.copyProgram(wrk, '/bin/wrk');
    },
  );
  return cachedImage(imageCache(), {
    name: probeImage,
    layers: [layer],
    entrypoint: ['/bin/probe'],
    user: '65532:65532',
  });
}
