import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'jsonc-parser';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sessionAnnotation } from '../cluster/annotations.ts';
import { parseLaunchConfiguration } from '../launch/configuration.ts';
import { type ConfigureOptions, configure } from './configure.ts';
import { app, type Forbidden, namespacesOf, ScriptedPrompter, serve, serviceOf, writeKubeconfig } from './test-shop.ts';

const never = new AbortController().signal;

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'configure-'));
  folder = join(root, 'cart');
  mkdirSync(folder);
});
afterEach(() => rmSync(root, { recursive: true }));

const shop = [
  ...app('web', { port: 3000 }),
  ...app('cart'),
  ...app('prices', { kind: 'StatefulSet' }),
  ...namespacesOf('other'),
];

const launchPath = () => join(folder, '.vscode', 'launch.json');
const launchText = () => readFileSync(launchPath(), 'utf8');

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Runs the flow against these objects, with the answers given. */
async function run(
  answers: readonly (string | undefined)[],
  options: Partial<ConfigureOptions> = {},
  objects: readonly (readonly [string, object])[] = shop,
  unreadable: Forbidden = [],
) {
  await using server = await serve(objects, unreadable);
  const kubeconfig = writeKubeconfig(root, { dev: { server: server.url, namespace: 'shop' } });
  const prompter = new ScriptedPrompter(...answers);
  const result = await configure({ folder, editor: 'vscode', prompter, kubeconfig, ...options }, never);
  expect(prompter.unused).toBe(0);
  expect(parseLaunchConfiguration(result.configuration, 'the result')).toMatchObject({
    target: result.configuration.target,
  });
  return { result, asked: prompter.asked, titles: prompter.asked.map(({ title }) => title) };
}

describe('from a clean folder', () => {
  test('three times Enter are enough, where the folder has the name of its Service', async () => {
    write('cart.py', '');
    const { result, asked } = await run([undefined, undefined]);
    expect(asked).toEqual([
      {
        title: 'Which Service runs on this computer? (namespace shop of dev)',
        offered: [
          'cart (port 80, Deployment)',
          'prices (port 80, StatefulSet)',
          'web (port 80, Deployment)',
          'A workload without a Service … (Deployment, StatefulSet or DaemonSet)',
          'Another namespace … (now shop)',
        ],
        initial: 'cart',
      },
      {
        title: 'On which port does your program listen here, for port 8080 of cart?',
        offered: [],
        initial: '8080',
      },
    ]);
    expect(result).toMatchObject({ name: 'cart in the cluster', written: [{ path: launchPath(), created: true }] });
    // One kind of program: nothing to ask.
    expect(launchText()).toBe(`{
  "version": "0.2.0",
  "configurations": [
    {
      "type": "kubernetes-local",
      "request": "launch",
      "name": "cart in the cluster",
      "target": "service/cart",
      "context": "dev",
      "namespace": "shop",
      "delegate": {
        "type": "debugpy",
        "request": "launch",
        "program": "\${workspaceFolder}/cart.py",
        "cwd": "\${workspaceFolder}",
        "console": "integratedTerminal"
      }
    }
  ]
}
`);
  });

  test('another port, agent image and container are written', async () => {
    write('main.py', '');
    const { result } = await run(['web', '5000'], { agentImage: 'registry/agent:1', container: 'web' });
    expect(result.configuration).toMatchObject({
      target: 'service/web',
      container: 'web',
      ports: { '3000': 5000 },
      agentImage: 'registry/agent:1',
    });
    expect(result.configuration).not.toHaveProperty('kubeconfig');
  });

  test('what is given is not asked for', async () => {
    write('main.py', '');
    const { titles, result } = await run([], { target: 'deploy/cart', ports: { http: 5000 }, writeKubeconfig: true });
    expect(titles).toEqual([]);
    expect(result.configuration).toMatchObject({
      name: 'cart in the cluster',
      target: 'deployment/cart',
      ports: { http: 5000 },
      kubeconfig: join(root, 'kubeconfig.yaml'),
    });
  });

  test('where nothing tells what to start, each language is offered', async () => {
    const { asked } = await run([undefined, undefined, 'A new one for Go']);
    expect(asked[2]?.offered.map((label) => label.split(' (')[0])).toEqual(
      ['Python', 'Node', 'Go', 'C, C++ or Rust', '.NET', 'Ruby'].map((language) => `A new one for ${language}`),
    );
  });
});

describe('ports', () => {
  test.each([
    ['0', 'A port is a number from 1 to 65535.'],
    ['65536', 'A port is a number from 1 to 65535.'],
    ['http', 'A port is a number from 1 to 65535.'],
  ])('%s is refused', async (wrong, objection) => {
    write('main.py', '');
    const { titles, result } = await run([undefined, wrong, ' 65535 ']);
    expect(titles[2]).toBe(objection);
    expect(result.configuration.ports).toEqual({ '8080': 65535 });
  });

  const three = [8080, 9090, 9100].map((containerPort) => ({ containerPort }));

  test('one question for each of three, and no port twice', async () => {
    write('main.py', '');
    const objects = app('cart', { containers: [{ name: 'cart', ports: three }] });
    const { titles, result } = await run([undefined, '5000', '5000', '5001', undefined], {}, objects);
    expect(titles[3]).toBe('Port 8080 of the container has that one already.');
    expect(result.configuration.ports).toEqual({ '8080': 5000, '9090': 5001, '9100': 9100 });
  });

  test('of more than three nothing is asked, and nothing written', async () => {
    write('main.py', '');
    const ports = [...three, { containerPort: 9200 }];
    const { titles, result } = await run([undefined], {}, app('cart', { containers: [{ name: 'cart', ports }] }));
    expect(titles).toHaveLength(1);
    expect(result.configuration).not.toHaveProperty('ports');
  });

  test('what starts the program says the port', async () => {
    write('main.py', '');
    write('.env', 'A=1\nPORT=5050\n');
    const { asked, result } = await run([undefined, undefined]);
    expect(asked[1]).toMatchObject({ title: expect.stringMatching(/\.env says 5050\.$/), initial: '5050' });
    expect(result.configuration.ports).toEqual({ '8080': 5050 });
  });
});

describe('an existing launch configuration', () => {
  const before = `// Ours.
{
    "version": "0.2.0",
    "configurations": [
        {
            "name": "Cart", // the one
            "type": "debugpy",
            "request": "launch",
            "program": "\${workspaceFolder}/src/cart.py",
            "env": { "PORT": "5000" },
            "preLaunchTask": "build",
            "serverReadyAction": { "action": "openExternally" },
            "presentation": { "order": 1, },
        },
        { "name": "Join", "type": "debugpy", "request": "attach", "connect": { "port": 5678 } },
        { "name": "Other in the cluster", "type": "kubernetes-local", "target": "other" },
    ],
    "compounds": [{ "name": "All", "configurations": ["Cart"] }],
}
`;

  test('becomes the delegate, and all around it stays', async () => {
    write('main.py', '');
    write('.vscode/launch.json', before);
    const { asked, result } = await run([undefined, undefined, undefined]);
    expect(asked[1]).toMatchObject({ title: expect.stringMatching(/"Cart" says 5000\.$/), initial: '5000' });
    expect(asked[2]).toEqual({
      title: 'What starts your program?',
      offered: [
        'Cart (your launch configuration)',
        'Join (attaches to a program that runs already)',
        'A new one for Python (main.py)',
      ],
      initial: 'Cart',
    });
    expect(result.written).toEqual([{ path: launchPath(), created: false }]);
    const after = launchText();
    const start = before.indexOf('\n        {');
    expect(after.startsWith(before.slice(0, start))).toBe(true);
    expect(after.endsWith(before.slice(start))).toBe(true);
    expect(parse(after).configurations[0]).toEqual({
      type: 'kubernetes-local',
      request: 'launch',
      name: 'Cart in the cluster',
      target: 'service/cart',
      context: 'dev',
      namespace: 'shop',
      ports: { '8080': 5000 },
      preLaunchTask: 'build',
      serverReadyAction: { action: 'openExternally' },
      presentation: { order: 1 },
      delegate: {
        type: 'debugpy',
        request: 'launch',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of VS Code
        program: '${workspaceFolder}/src/cart.py',
        env: { PORT: '5000' },
      },
    });
  });

  test('can be named beforehand; one that is not there is told', async () => {
    write('.vscode/launch.json', before);
    const { result } = await run([undefined, undefined], { program: 'Join' });
    expect(result.name).toBe('Join in the cluster');
    await expect(run([], { program: 'Card' })).rejects.toMatchObject({
      code: 'bad-arguments',
      why: 'There are: "Cart", "Join".',
    });
  });

  test('a file that is no JSON is refused before anything is asked, and unchanged', async () => {
    write('.vscode/launch.json', '{ "configurations": [ }');
    await expect(run([])).rejects.toMatchObject({
      code: 'bad-value',
      what: `${launchPath()}:1:23 is not valid JSON.`,
    });
    expect(launchText()).toBe('{ "configurations": [ }');
  });

  test.each(['[]', '{ "configurations": {} }', '1'])('%s is refused', async (text) => {
    write('.vscode/launch.json', text);
    await expect(run([])).rejects.toMatchObject({ code: 'bad-value', what: expect.stringContaining('is not a list.') });
    expect(launchText()).toBe(text);
  });
});

describe('once more', () => {
  const mine = `{
\t"configurations": [
\t\t{
\t\t\t"type": "kubernetes-local",
\t\t\t"name": "mine", // my name
\t\t\t"target": "cart",
\t\t\t// the port here
\t\t\t"ports": { "8080": 5000 },
\t\t\t"network": "env",
\t\t\t"preLaunchTask": "old",
\t\t\t"delegate": { "type": "debugpy", /* mine */ "program": "x.py" }
\t\t}
\t]
}`;

  test('the configuration of the same target is changed in its place', async () => {
    write('.vscode/launch.json', mine);
    const { asked, result } = await run([undefined, 'Replace', '5001', 'As it is']);
    expect(asked[1]).toEqual({
      title: '"mine" is for this target already.',
      offered: ['Replace (what is asked now; the rest of it stays)', 'Keep both'],
      initial: 'Replace',
    });
    expect(asked[2]?.initial).toBe('5000');
    expect(launchText()).toBe(
      mine
        .replace('"cart"', '"service/cart"')
        .replace('{ "8080": 5000 }', '{\n\t\t\t\t"8080": 5001\n\t\t\t}')
        .replace('"program": "x.py" }', '"program": "x.py" },\n\t\t\t"context": "dev",\n\t\t\t"namespace": "shop"'),
    );
    expect(result.configuration).toMatchObject({ name: 'mine', network: 'env', delegate: { program: 'x.py' } });
  });

  test('unchanged answers change nothing', async () => {
    write('.vscode/launch.json', mine);
    await run([undefined, 'Replace', undefined, 'As it is']);
    const once = launchText();
    await run([undefined, 'Replace', undefined, 'As it is']);
    expect(launchText()).toBe(once);
  });

  test('another program takes the place of the old one and its tasks', async () => {
    write('.vscode/launch.json', mine);
    write('main.py', '');
    const { result } = await run([undefined, 'Replace', undefined, 'A new one for Python']);
    expect(parse(launchText()).configurations).toEqual([
      expect.objectContaining({ name: 'mine', network: 'env', delegate: expect.objectContaining({ type: 'debugpy' }) }),
    ]);
    expect(result.configuration).not.toHaveProperty('preLaunchTask');
  });

  test('both are kept if the user says so, under another name', async () => {
    write('main.py', '');
    await run([undefined, undefined]);
    const { result } = await run([undefined, 'Keep both', undefined]);
    expect(result.name).toBe('cart in the cluster 2');
    expect(parse(launchText()).configurations.map(({ name }: { name: string }) => name)).toEqual([
      'cart in the cluster 2',
      'cart in the cluster',
    ]);
  });

  test('one of another namespace is another one', async () => {
    write('main.py', '');
    write('.vscode/launch.json', mine.replace('"cart"', '"cart", "namespace": "other"'));
    const { titles } = await run([undefined, undefined]);
    expect(titles).toHaveLength(2);
  });
});

describe('in the cluster', () => {
  beforeEach(() => write('main.py', ''));

  const containers = [
    { name: 'cart', ports: [{ containerPort: 8080 }] },
    { name: 'proxy', ports: [{ containerPort: 9901 }] },
  ];

  test('the container is not asked for where the Service tells it', async () => {
    const servicePorts = [{ port: 80, targetPort: 8080 }];
    const { titles, result } = await run([undefined, undefined], {}, app('cart', { containers, servicePorts }));
    expect(titles).toHaveLength(2);
    expect(result.configuration).not.toHaveProperty('container');
  });

  test('the container is asked for where it is not clear', async () => {
    const servicePorts = [
      { port: 80, targetPort: 8080 },
      { port: 81, targetPort: 9901 },
    ];
    const { asked, result } = await run([undefined, 'proxy', undefined], {}, app('cart', { containers, servicePorts }));
    expect(asked[1]).toMatchObject({
      title: 'Which container of service/cart runs on this computer?',
      offered: ['cart', 'proxy'],
    });
    expect(result.configuration.container).toBe('proxy');
  });

  test('Services without pods, without selector or with pods that nobody can replace are not offered', async () => {
    const objects = [
      ...app('cart'),
      ...app('pending', { running: false }),
      serviceOf('by-hand', {}),
      serviceOf('idle', { app: 'idle' }),
    ];
    const { asked } = await run([undefined, undefined], {}, objects);
    expect(asked[0]?.offered.map((label) => label.split(' ')[0])).toEqual(['cart', 'A', 'Another']);
  });

  test('of several workloads behind a Service one is asked for', async () => {
    const objects = [...app('blue', { service: null }), ...app('green', { service: null }), serviceOf('cart', {})].map(
      ([kind, object]) => {
        const text = JSON.stringify(object);
        // All pods and templates have a label in common.
        return [
          kind,
          JSON.parse(
            text.replaceAll('"app":', '"tier":"front","app":').replace('"selector":{}', '"selector":{"tier":"front"}'),
          ),
        ] as const;
      },
    );
    const { asked, result } = await run([undefined, 'green', undefined], {}, objects);
    expect(asked[0]?.offered[0]).toBe('cart (port 80, Deployment blue, Deployment green)');
    expect(asked[1]?.title).toBe('Service cart leads to several workloads. Which one runs on this computer?');
    expect(result.configuration.target).toBe('deployment/green');
  });

  test('a workload without a Service; and back', async () => {
    const objects = [...shop, ...app('worker', { service: null, containers: [{ name: 'worker' }] })];
    const workload = 'A workload without a Service …';
    const { asked, result } = await run([workload, 'Back to the Services', workload, 'worker'], {}, objects);
    expect(asked[1]?.offered).toContain('worker (Deployment)');
    // It has no port, so none is asked for.
    expect(result.configuration).toMatchObject({ name: 'worker in the cluster', target: 'deployment/worker' });
  });

  test('another namespace', async () => {
    const objects = [...shop, ...app('orders', {}, 'other')];
    const { asked, result } = await run(['Another namespace …', 'other', 'orders', undefined], {}, objects);
    expect(asked[1]).toMatchObject({ title: 'Which namespace?', offered: ['other'] });
    expect(asked[2]?.title).toBe('Which Service runs on this computer? (namespace other of dev)');
    expect(result.configuration).toMatchObject({ target: 'service/orders', namespace: 'other', context: 'dev' });
  });

  test('namespaces that may not be listed are typed', async () => {
    const objects = [...shop, ...app('orders', {}, 'other')];
    const answers = ['Another namespace …', 'Not One', 'other', 'orders', undefined];
    const { titles, result } = await run(answers, {}, objects, ['/api/v1/namespaces']);
    expect(titles.slice(1, 3)).toEqual([
      'Which namespace? You may not list them; type its name.',
      'That cannot be the name of a namespace.',
    ]);
    expect(result.configuration.namespace).toBe('other');
  });

  test('Services that may not be listed are typed, and the rest is left to the session', async () => {
    const answers = ['cron/cart', 'service/cart'];
    const { titles, result } = await run(answers, {}, shop, ['/api/v1/namespaces/shop/services']);
    expect(titles[0]).toContain('You may not list the Services of namespace shop');
    expect(titles[1]).toContain('is not a kind of target');
    expect(result.configuration).toMatchObject({ target: 'service/cart', context: 'dev', namespace: 'shop' });
  });

  test('a namespace without Services says so', async () => {
    const { asked } = await run(['Another namespace …', 'other', 'Another namespace …', 'shop', undefined, undefined]);
    expect(asked[2]?.title).toBe('No Service in namespace other of dev has running pods. What runs on this computer?');
  });

  test('another cluster, if there are several', async () => {
    await using server = await serve(shop);
    await using second = await serve(app('api', {}, 'default'));
    const kubeconfig = writeKubeconfig(root, {
      dev: { server: server.url, namespace: 'shop' },
      test: { server: second.url },
      gone: { server: 'http://127.0.0.1:9' },
    });
    const prompter = new ScriptedPrompter('Another cluster …', 'test', 'api', undefined);
    const { configuration } = await configure({ folder, editor: 'vscode', prompter, kubeconfig }, never);
    expect(prompter.asked[1]).toMatchObject({ title: 'Which context of your kubeconfig?', offered: ['test', 'gone'] });
    expect(configuration).toMatchObject({ context: 'test', namespace: 'default', target: 'service/api' });
    const unreachable = new ScriptedPrompter('Another cluster …', 'gone');
    await expect(
      configure({ folder, editor: 'vscode', prompter: unreachable, kubeconfig }, never),
    ).rejects.toMatchObject({
      code: 'cluster-unreachable',
    });
  });

  test('a target that a session holds can be configured', async () => {
    const held = app('cart', { annotations: { [sessionAnnotation]: 'abc' } });
    const { result } = await run([undefined, undefined], {}, held);
    expect(result.configuration.target).toBe('service/cart');
  });

  test('a given target that is not there is told', async () => {
    await expect(run([], { target: 'service/card' })).rejects.toMatchObject({
      code: 'target-missing',
      remedy: 'Did you mean "cart"?',
    });
  });
});

test.each([0, 1, 2])('nothing is written if the user goes away at question %i', async (question) => {
  await expect(run([...Array(question).fill(undefined), '(Escape)'])).rejects.toMatchObject({ code: 'cancelled' });
  expect(readdirSync(folder)).toEqual([]);
});

test('what is aborted writes nothing', async () => {
  write('main.py', '');
  const abort = new AbortController();
  await using server = await serve(shop);
  const kubeconfig = writeKubeconfig(root, { dev: { server: server.url, namespace: 'shop' } });
  const prompter = new ScriptedPrompter(undefined, undefined);
  const enter = prompter.enter.bind(prompter);
  prompter.enter = async (question) => {
    abort.abort();
    return await enter(question);
  };
  await expect(configure({ folder, editor: 'vscode', prompter, kubeconfig }, abort.signal)).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(existsSync(launchPath())).toBe(false);
});

describe('the hook of tasks', () => {
  const launch = (more: object = {}) =>
    JSON.stringify({ configurations: [{ name: 'Cart', type: 'node', program: 'x.js', ...more }] });
  const tasks = () => parse(readFileSync(join(folder, '.vscode', 'tasks.json'), 'utf8')).tasks;

  test('writes a task and a launch configuration of the real type', async () => {
    write('.vscode/launch.json', launch());
    const { result } = await configureWithTask([undefined, '5000', 'Cart']);
    expect(result.written.map(({ path }) => basename(path))).toEqual(['tasks.json', 'launch.json']);
    expect(tasks()).toEqual([
      {
        label: 'cart: connect',
        type: 'kubernetes-local',
        action: 'connect',
        target: 'service/cart',
        context: 'dev',
        namespace: 'shop',
        ports: { '8080': 5000 },
        isBackground: true,
        problemMatcher: '$kubernetes-local',
      },
    ]);
    expect(parse(launchText()).configurations).toEqual([
      { name: 'Cart in the cluster', type: 'node', program: 'x.js', preLaunchTask: 'cart: connect' },
      { name: 'Cart', type: 'node', program: 'x.js' },
    ]);
  });

  test('a task of the user comes first', async () => {
    write('.vscode/launch.json', launch({ preLaunchTask: 'build' }));
    write('.vscode/tasks.json', '{ "tasks": [ { "label": "build", "type": "shell" } ] }');
    await configureWithTask([undefined, undefined, 'Cart']);
    expect(tasks()).toEqual([
      { label: 'cart: connect, after build', dependsOn: ['build', 'cart: connect'], dependsOrder: 'sequence' },
      expect.objectContaining({ label: 'cart: connect' }),
      { label: 'build', type: 'shell' },
    ]);
    expect(parse(launchText()).configurations[0]).toMatchObject({ preLaunchTask: 'cart: connect, after build' });
    // Once more: in their places.
    await configureWithTask([undefined, 'Replace', '5000', 'As it is']);
    expect(tasks()).toHaveLength(3);
    expect(tasks()[1]).toMatchObject({ label: 'cart: connect', ports: { '8080': 5000 } });
  });

  async function configureWithTask(answers: readonly (string | undefined)[]) {
    await using server = await serve(shop);
    const kubeconfig = writeKubeconfig(root, { dev: { server: server.url, namespace: 'shop' } });
    const prompter = new ScriptedPrompter(...answers);
    const result = await configure({ folder, editor: 'vscode', prompter, kubeconfig, hook: 'task' }, never);
    expect(prompter.unused).toBe(0);
    for (const { label: _, action, isBackground, problemMatcher, ...task } of tasks()) {
      if (action !== undefined) expect(() => parseLaunchConfiguration(task, 'tasks.json')).not.toThrow();
    }
    return { result };
  }
});
