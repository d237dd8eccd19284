/** `npm run cluster -- COMMAND`: the test cluster from the command line. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import {
  type ClusterStatus,
  clusterStatus,
  defaultName,
  ensureCluster,
  runningCluster,
  stopCluster,
} from './cluster.ts';
import { parseDuration } from './duration.ts';
import { ClusterError } from './error.ts';
import { describeArchive } from './image-store.ts';
import { showProgress } from './progress.ts';
import { describeStatus } from './report.ts';

interface Named {
  readonly name: string;
}

const program = new Command('cluster')
  .description('a real Kubernetes for the tests, on this computer')
  .showHelpAfterError();

/** A command with the option that all of them have. */
function command(usage: string, description: string): Command {
  return program.command(usage).description(description).option('--name <name>', 'which cluster', defaultName);
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

command('up', 'start the cluster, or reuse the running one')
  .option('--rtt <duration>', 'round-trip time to the API server, such as 20ms', duration, 0)
  .action(async ({ name, rtt }: Named & { rtt: number }) => {
    using progress = showProgress(process.stderr);
    const began = performance.now();
    const cluster = await ensureCluster({ name, rtt, onProgress: progress.show });
    progress.show(
      `cluster "${name}" is ready after ${((performance.now() - began) / 1000).toFixed(1)} s: ${cluster.server}`,
    );
    progress[Symbol.dispose]();
    console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
  });

command('down', 'end the cluster and remove all it left; loaded images are kept')
  .option('--purge', 'delete its folder with images and keys too', false)
  .action(({ name, purge }: Named & { purge: boolean }) => stopCluster(name, { purge }));

command('status', 'say how the cluster is')
  .option('--json', 'as JSON', false)
  .action(async ({ name, json }: Named & { json: boolean }) => {
    const status: ClusterStatus = await clusterStatus(name);
    console.log(json ? JSON.stringify(status, undefined, 2) : describeStatus(name, status));
    if (status.state !== 'running') process.exitCode = 1;
  });

command('kubeconfig', "print the path of the administrator's kubeconfig, or of another user's")
  .option('--print', 'print what is in it', false)
  .option('--user <name>', 'make a client certificate for this user')
  .option('--group <group...>', 'groups of that user')
  .action(async (options: Named & { print: boolean; user?: string; group?: string[] }) => {
    const cluster = await runningCluster(options.name);
    const path =
      options.user === undefined ? cluster.kubeconfig : await cluster.userKubeconfig(options.user, options.group);
    console.log(options.print ? (await readFile(path, 'utf8')).trimEnd() : path);
  });

command('load', 'make an image known to the node')
  .argument('<archive>', 'docker-archive of one image')
  .action(async (archive: string, { name }: Named) => {
    const image = await describeArchive(resolve(archive));
    const cluster = await runningCluster(name);
    await cluster.load(image);
    console.log(image.name);
  });

command('rtt', 'make the road to the API server longer or shorter')
  .argument('<duration>', 'round-trip time, such as 20ms', duration)
  .action(async (milliseconds: number, { name }: Named) => {
    const cluster = await runningCluster(name);
    await cluster.setRtt(milliseconds);
  });

command('cut', 'cut the road: nothing passes, not even the end of a connection')
  .argument('[duration]', 'restored by itself after this time; without it by "restore"', duration, 0)
  .option('--reset', 'reset the connections, present and new ones, rather than freeze them', false)
  .action(async (milliseconds: number, { name, reset }: Named & { reset: boolean }) => {
    const cluster = await runningCluster(name);
    await cluster.cut(milliseconds, { reset });
  });

command('restore', 'end a cut').action(async ({ name }: Named) => {
  const cluster = await runningCluster(name);
  await cluster.restore();
});

command('restart', 'start a component that was killed again, and wait until it serves')
  .argument('<component>', 'as status names it, such as kube-apiserver')
  .action(async (component: string, { name }: Named) => {
    const cluster = await runningCluster(name);
    await cluster.restart(component);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ClusterError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
