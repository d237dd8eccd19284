/** The targets of launch-templates/msbuild in a real build: connect, run, undo, and what must not happen. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensurePackages } from '../cluster/packages.ts';
import { SampleProject, xbuildPackages } from '../editors/msbuild/xbuild.ts';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { freePort, runCommand } from './command-line.ts';

let world: World;
let sample: SampleProject;
beforeAll(async () => {
  await ensurePackages(xbuildPackages);
  world = await openWorld('e2e-msbuild');
});
beforeEach(() => {
  sample = new SampleProject();
  return () => sample[Symbol.asyncDispose]();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** The sample listens where nobody else does. */
let port = 0;
beforeEach(async () => {
  port = await freePort();
});

/** Builds a target of the sample in this world. It is switched on, for it is not by itself where tests run. */
function build(
  target: string,
  properties: Readonly<Record<string, string | undefined>> = {},
  environment: NodeJS.ProcessEnv = {},
) {
  const [node = '', script = ''] = world.product;
  const own = {
    KubernetesLocalEnabled: 'true',
    KubernetesLocalNode: node,
    KubernetesLocalExecutable: script,
    KubernetesLocalKubeconfig: world.place.kubeconfig,
    KubernetesLocalNamespace: world.place.namespace,
    KubernetesLocalAgentImage: world.place.agentImage,
    KubernetesLocalPorts: `8080:${port}`,
  };
  const all = { ...world.environment, PORT: `${port}`, ...environment };
  return sample.build(target, { ...own, ...properties }, all);
}

const listens = () => `sample listens on port ${port}, in ${world.shop.namespace}`;

/** The sessions that stand, by key, with the process that holds each. */
async function standing(): Promise<readonly { readonly key: string; readonly processes: readonly number[] }[]> {
  const { stdout } = await runCommand(world, ['status', '--json']);
  const processes = processesOf(world.state).map(({ pid }) => pid);
  return (JSON.parse(stdout) as { key: string; status?: unknown }[])
    .filter(({ status }) => status !== undefined)
    .map(({ key }) => ({ key, processes }));
}

describe('the target Run', () => {
  it.each(['hosts', 'namespace'])(
    'runs the program with the environment and the requests of the pod, and undoes all, in mode %s',
    async (network) => {
      const before = await world.snapshot();
      const run = build('Run', { KubernetesLocalNetwork: network });
      await run.saw(listens());
      expect(await world.shop.request('http://cart/environment')).toBe(
        'greeting: Good to see you.\nTake your time — the coffee is on the house.\n' +
          `namespace: ${world.shop.namespace}\ntoken: 19 characters\n`,
      );
      expect(JSON.parse(await world.shop.request('http://cart/prices'))).toMatchObject({
        servedBy: expect.stringMatching(/in the cluster$/),
      });
      await world.shop.request('http://cart/exit');
      const { code, output } = await run.ended;
      expect(code, output).toBe(0);
      expect(output).toContain('Build succeeded.');
      expect(output).not.toContain('tok_demo_4f9c2b7e61');
      await world.asBefore(before);
    },
  );

  it('undoes all when the program fails, and fails too', async () => {
    const before = await world.snapshot();
    const run = build('Run');
    await run.saw(listens());
    await world.shop.request('http://cart/exit?code=3');
    const { code, output } = await run.ended;
    expect(code).not.toBe(0);
    expect(output).toMatch(/: error : Command .* exited with code: 3\./);
    await world.asBefore(before);
  });

  it('undoes all when the user interrupts the build', async () => {
    const before = await world.snapshot();
    const run = build('Run');
    await run.saw(listens());
    run.interrupt();
    expect((await run.ended).code).not.toBe(0);
    await world.asBefore(before);
  });

  it('tells what is wrong as an error of the build', async () => {
    const before = await world.snapshot();
    const { code, output } = await build('Run', { KubernetesLocalTarget: 'service/crat' }).ended;
    expect(code).not.toBe(0);
    expect(output).toMatch(/: error : kubernetes-local : error KL4001: .*crat.*cart/);
    expect(output).not.toContain('sample listens');
    await world.asBefore(before);
  });

  it('tells a word that an option does not know as an error of the build', async () => {
    const { code, output } = await build('Run', { KubernetesLocalNetwork: 'hots' }).ended;
    expect(code).not.toBe(0);
    expect(output).toMatch(/: error : kubernetes-local : error KL2005: .*hots/);
  });
});

describe('a connection that stays', () => {
  it('is made once, used by each run, and undone by KubernetesLocalDisconnect', async () => {
    const before = await world.snapshot();
    const first = await build('KubernetesLocalConnect').ended;
    expect(first.code, first.output).toBe(0);
    expect(first.output).toContain('Ready.');
    const stands = await standing();
    expect(stands).toHaveLength(1);

    const again = await build('KubernetesLocalConnect').ended;
    expect(again.code, again.output).toBe(0);
    expect(again.output).toContain('Ready.');
    expect(await standing()).toEqual(stands);

    const run = build('Run', { KubernetesLocalDisconnectAfterRun: 'false' });
    await run.saw(listens());
    await world.shop.request('http://cart/exit');
    const ran = await run.ended;
    expect(ran.code, ran.output).toBe(0);
    expect(await standing()).toEqual(stands);

    const status = await build('KubernetesLocalStatus').ended;
    expect(status.output).toContain('service/cart');
    const end = await build('KubernetesLocalDisconnect').ended;
    expect(end.code, end.output).toBe(0);
    expect(end.output).toContain('Everything is as it was before.');
    await world.asBefore(before);

    const nothing = await build('KubernetesLocalDisconnect').ended;
    expect(nothing.code, nothing.output).toBe(0);
  });
});

describe('the command line', () => {
  /** What a program in the place of kubernetes-local is given, word by word. */
  async function words(
    target: string,
    properties: Readonly<Record<string, string | undefined>>,
    lists: NodeJS.ProcessEnv = {},
  ): Promise<string[]> {
    const folder = join(sample.folder, 'with spaces (x86)');
    mkdirSync(folder);
    const script = join(folder, 'words.js');
    writeFileSync(script, 'console.log("words " + JSON.stringify(process.argv.slice(2)));');
    const own = {
      KubernetesLocalKubeconfig: undefined,
      KubernetesLocalNamespace: undefined,
      KubernetesLocalAgentImage: undefined,
      KubernetesLocalPorts: undefined,
      KubernetesLocalExecutable: script,
      ...properties,
    };
    const { code, output } = await build(target, own, lists).ended;
    expect(code, output).toBe(0);
    return JSON.parse(/^\s*words (.*)$/m.exec(output)?.[1] ?? '');
  }

  const place = {
    KubernetesLocalTarget: 'statefulset/cart',
    KubernetesLocalNamespace: 'shop',
    KubernetesLocalContext: 'arn:aws:eks:eu-1:12:cluster/dev@Büro (2)',
    KubernetesLocalKubeconfig: '/home/me/my files/kube config',
  };
  const placeWords = [
    '--target=statefulset/cart',
    '--namespace=shop',
    '--context=arn:aws:eks:eu-1:12:cluster/dev@Büro (2)',
    '--kubeconfig=/home/me/my files/kube config',
  ];
  const more = {
    KubernetesLocalContainer: 'cart',
    KubernetesLocalNetwork: 'env',
    KubernetesLocalElevate: 'never',
    KubernetesLocalOnPortConflict: 'fail',
    KubernetesLocalExternalEndpoints: 'db.example.net:5432',
    KubernetesLocalProcessConfig: '/home/me/my files/p.yaml',
    KubernetesLocalEnvironmentFile: '/home/me/my files/.env',
    KubernetesLocalAgentImage: 'registry.example.com:5000/agent:1',
  };
  /** As variables of the environment: on its command line xbuild takes a semicolon for the end of the property. */
  const lists = { KubernetesLocalPorts: '8080:5000;http:9090', KubernetesLocalOtherNamespaces: 'a;b' };
  const moreWords = [
    '--container=cart',
    '--port=8080:5000',
    '--port=http:9090',
    '--network=env',
    '--elevate=never',
    '--on-port-conflict=fail',
    '--also-namespace=a',
    '--also-namespace=b',
    '--external=db.example.net:5432',
    '--process-config=/home/me/my files/p.yaml',
    '--env-file=/home/me/my files/.env',
    '--agent-image=registry.example.com:5000/agent:1',
  ];

  it('of KubernetesLocalConnect has each property as one word', async () => {
    const own = {
      KubernetesLocalHold: '30m',
      KubernetesLocalEnvironmentOutput: '/home/me/my files/out.env',
      KubernetesLocalEnvironmentOutputFormat: 'json',
    };
    expect(await words('KubernetesLocalConnect', { ...place, ...more, ...own }, lists)).toEqual([
      ...['connect', '--wait-ready', '--error-format', 'msbuild'],
      ...placeWords,
      ...moreWords,
      ...['--for=30m', '--env-output=/home/me/my files/out.env', '--format=json'],
    ]);
  });

  it('of KubernetesLocalDisconnect says which', async () => {
    expect(await words('KubernetesLocalDisconnect', { ...place, ...more }, lists)).toEqual([
      ...['disconnect', '--error-format', 'msbuild'],
      ...placeWords,
    ]);
  });

  it('of Run has the program behind all', async () => {
    const program = { RunCommand: 'my program', RunArguments: '--name %22two words%22 3' };
    const found = await words('Run', { ...place, ...more, ...program }, lists);
    expect(found.slice(0, 3)).toEqual(['run', '--error-format', 'msbuild']);
    expect(found.slice(3, 3 + placeWords.length + moreWords.length)).toEqual([...placeWords, ...moreWords]);
    expect(found.slice(3 + placeWords.length + moreWords.length)).toEqual([
      ...['--', 'my program', '--name', 'two words', '3'],
    ]);
  });

  it('of Run has the compiled program, if it is told nothing else', async () => {
    const found = await words('Run', {});
    expect(found.slice(-4)).toEqual(['--', 'mono', '--debug', expect.stringMatching(/\/bin\/+sample\.exe$/)]);
  });

  it('has nothing that was not asked for', async () => {
    expect(await words('KubernetesLocalConnect', {})).toEqual([
      ...['connect', '--wait-ready', '--error-format', 'msbuild', '--target=service/cart', '--for=8h'],
    ]);
  });
});

describe('without the cluster', () => {
  /** The program on a port of its own, which says where it is; nothing that kubernetes-local would say. */
  async function runsAlone(properties: Readonly<Record<string, string | undefined>>, environment: NodeJS.ProcessEnv) {
    const run = build('Run', properties, environment);
    await run.saw(`sample listens on port ${port}, in no cluster`);
    await (await fetch(`http://127.0.0.1:${port}/exit`)).text();
    const { code, output } = await run.ended;
    expect(code, output).toBe(0);
    expect(output).not.toMatch(/kubernetes-local\.js|stands in for/);
  }

  it('runs the program alone for a release', async () => {
    await runsAlone({ KubernetesLocalEnabled: undefined, Configuration: 'Release' }, { CI: '' });
  });

  it('runs the program alone on a build server', async () => {
    await runsAlone({ KubernetesLocalEnabled: undefined }, { CI: 'true' });
  });

  it('does nothing while an IDE asks what there is', async () => {
    const { code, output } = await build('Build', { DesignTimeBuild: 'true', KubernetesLocalConnectOnBuild: 'true' })
      .ended;
    expect(code, output).toBe(0);
    expect(output).not.toContain('stands in for');
  });

  it('connects by itself on the computer of a developer', async () => {
    const { output } = await build(
      'Run',
      { KubernetesLocalEnabled: undefined, KubernetesLocalTarget: 'service/crat' },
      { CI: '', TF_BUILD: '' },
    ).ended;
    expect(output).toContain('error KL4001');
  });
});

describe('a hostile property', () => {
  /** As MSBuild's command line has them: `%22` is a quote, `%24` a dollar sign, `%3B` a semicolon. */
  const values: readonly ((mark: string) => string)[] = [
    (mark) => `service/cart%22; touch ${mark}; echo %22`,
    (mark) => `service/cart%22%3B touch ${mark}%3B echo %22`,
    (mark) => `%24(touch ${mark})`,
    (mark) => `\`touch ${mark}\``,
    (mark) => `cart%0Atouch ${mark}`,
    (mark) => `cart%26touch ${mark}`,
    (mark) => `cart' %3D%3D '' or touch ${mark}`,
    () => 'cart%22',
    () => '%25PATH%25',
  ];
  const properties = [
    'KubernetesLocalTarget',
    'KubernetesLocalNamespace',
    'KubernetesLocalPorts',
    'KubernetesLocalExecutable',
    'KubernetesLocalEnvironmentOutput',
    'KubernetesLocalProcessConfig',
  ];
  const targets = ['Run', 'KubernetesLocalConnect', 'KubernetesLocalDisconnect'];

  it.each(properties)('%s is refused, and nothing of it is run', async (property) => {
    const mark = join(sample.folder, 'mark');
    for (const [index, value] of values.entries()) {
      const target = targets[index % targets.length] ?? 'Run';
      const { code, output } = await build(target, { [property]: value(mark) }).ended;
      expect(code, output).not.toBe(0);
      // The first one is refused by xbuild itself, which takes the semicolon for the end of the property.
      expect(output).toMatch(/error (KL2004|MSBUILD0005)/);
      expect(existsSync(mark), value(mark)).toBe(false);
    }
  });

  it('may have spaces and letters of any script', async () => {
    const { output } = await build('Run', { KubernetesLocalTarget: 'service/crème brûlée 日本' }).ended;
    expect(output).not.toContain('KL2004');
    expect(output).toContain('crème brûlée 日本');
  });
});
