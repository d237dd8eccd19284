import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { parseLaunchConfiguration, parsePortMapping } from './configuration.ts';
import { generateTypes, typesFile } from './generate.ts';
import schema from './launch.schema.json' with { type: 'json' };

function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('no problem was thrown');
}

const parse = (value: unknown) => parseLaunchConfiguration(value, 'launch.json');

describe('environment and volumes', () => {
  test('get their defaults', () => {
    expect(parse({ target: 'cart', environment: {}, volumes: {} })).toMatchObject({
      environment: { fromImage: true },
      volumes: { copy: 'auto', limit: '64Mi' },
    });
  });

  test.each([
    [{ environment: { includes: [] } }, 'unknown-key', /"includes" is not a key of "environment".*"include"/],
    [{ volumes: { limits: '1Gi' } }, 'unknown-key', /"limits" is not a key of "volumes".*"limit"/],
    [{ volumes: { limit: 'much' } }, 'bad-value', /"volumes.limit" cannot be "much".*"limit": "2Gi"/],
    [{ volumes: { writeBack: ['data'] } }, 'bad-value', /"volumes.writeBack.0" cannot be "data"/],
    [{ volumes: { copy: 'always' } }, 'bad-value', /"volumes.copy" cannot be "always"/],
    [{ environment: { override: { A: 1 } } }, 'wrong-type', /"environment.override.A" must be a string or a null/],
    [{ environment: { envFile: 1 } }, 'wrong-type', /"environment.envFile" must be a string or a list/],
    [{ processConfig: true }, 'bad-value', /"processConfig" cannot be true/],
    [
      { proxyProtocol: 'v3' },
      'bad-value',
      /"proxyProtocol" cannot be "v3".*"v2", "v1", true, false.*Did you mean "v2"/,
    ],
    [{ proxyProtocol: 2 }, 'wrong-type', /"proxyProtocol" must be a boolean or a string, but is a number/],
    [{ onUnresolved: 'ignore' }, 'bad-value', /"onUnresolved" cannot be "ignore"/],
  ])('%j', (keys, code, message) => {
    const problem = problemOf(() => parse({ target: 'cart', ...keys }));
    expect(problem.code).toBe(code);
    expect(problem.message).toMatch(message);
  });
});

describe('a valid configuration', () => {
  test('gets its defaults', () => {
    expect(parse({ target: 'cart' })).toEqual({
      target: 'cart',
      request: 'launch',
      mode: 'replace',
      network: 'auto',
      onPortConflict: 'ask',
      onHeld: 'ask',
      onUnresolved: 'fail',
      elevate: 'ask',
      reaper: 'auto',
      reaperDelay: 300,
    });
  });

  test('keeps all of its keys, and all of the delegate’s', () => {
    const configuration = {
      type: 'kubernetes-local',
      request: 'attach',
      name: 'cart in the cluster',
      target: 'service/cart',
      namespace: 'shop',
      context: 'dev',
      kubeconfig: '/home/me/.kube/dev',
      container: 'cart',
      ports: { '8080': 5000, http: 5001, '65535': 65535, 'a-b': 1 },
      mode: 'replace',
      network: 'namespace',
      otherNamespaces: ['other', 'kube-system'],
      onPortConflict: 'other-port',
      onHeld: 'take-over',
      onUnresolved: 'leave-out' as const,
      environment: {
        include: ['DB_*'],
        exclude: ['OTEL_*'],
        override: { LOG_LEVEL: 'debug', PROXY: null },
        envFile: ['.env', 'more.env'],
        fromImage: false,
      },
      volumes: {
        copy: 'auto' as const,
        limit: '2Gi',
        writeBack: ['/data'],
        localPaths: { '/etc/cart': './config' },
      },
      externalEndpoints: ['db.example.net:5432'],
      processConfig: 'KubernetesLocalProcessConfig.yaml',
      elevate: 'never',
      reaper: 'require' as const,
      reaperDelay: 60,
      timings: true,
      proxyProtocol: 'v1' as const,
      agentImage: 'registry.example.com/agent:1',
      debugAdapter: { command: ['adapter', '--listen={port}'], environment: 'list', environmentKey: 'environment' },
      delegate: {
        type: 'debugpy',
        request: 'attach',
        program: 'main.py',
        env: { A: null },
        args: [1, ['x']],
        __own: true,
        unheardOf: {},
      },
    };
    expect(parse(configuration)).toEqual(configuration);
  });

  test('gets the default of the delegate, which is not that of the configuration', () => {
    expect(parse({ request: 'attach', target: 'cart', delegate: { type: 'go' } })).toMatchObject({
      request: 'attach',
      delegate: { type: 'go', request: 'launch' },
    });
  });

  test('has a port of the debug adapter, even if a variable of the IDE made it text', () => {
    expect(parse({ target: 'cart', debugAdapter: { port: '4711' } }).debugAdapter).toEqual({ port: 4711 });
  });

  test.each([
    { port: 4711, host: '::1' },
    { command: ['a'], port: 4711 },
    { command: ['a'], readyPattern: '^port (?<port>\\d+)$' },
    { command: ['a', '--at={socket}'] },
  ])('says where the debug adapter is: %j', (debugAdapter) => {
    expect(parse({ target: 'cart', debugAdapter }).debugAdapter).toEqual(debugAdapter);
  });

  test('is not changed itself', () => {
    const configuration = Object.freeze({ target: 'cart', __id: 1, delegate: Object.freeze({ type: 'go' }) });
    expect(() => parse(configuration)).not.toThrow();
    expect(configuration).toEqual({ target: 'cart', __id: 1, delegate: { type: 'go' } });
  });

  test.each(['kubernetes-local', 'kubernetes-local/debugpy'])('has the type %s', (type) => {
    expect(parse({ type, target: 'cart' }).type).toBe(type);
  });

  test('does not hold what IDEs add for themselves', () => {
    const added = {
      __configurationTarget: 6,
      __sessionId: '9f',
      __restart: { port: 1 },
      __exceptionOptions: [],
      $adapter: 'node.exe',
      preLaunchTask: 'build',
      postDebugTask: { type: 'x' },
      internalConsoleOptions: 'neverOpen',
      presentation: { hidden: false },
      debugServer: 4711,
      noDebug: true,
      restart: true,
      serverReadyAction: {},
      suppressMultipleSessionWarning: true,
    };
    expect(parse({ target: 'cart', ...added })).toEqual(parse({ target: 'cart' }));
  });

  test.each(['launch', 'attach'])('does not hold the name of the request %s, which Kate adds', (command) => {
    expect(parse({ target: 'cart', command })).toEqual(parse({ target: 'cart' }));
    expect(problemOf(() => parse({ target: 'cart', command: `${command} it` })).code).toBe('unknown-key');
  });
});

describe('an unknown key is named, with the right word', () => {
  test.each([
    ['tarjet', 'Did you mean "target"?'],
    ['Target', 'Did you mean "target"?'],
    ['nameSpace', 'Did you mean "namespace"?'],
    ['kubeConfig', 'Did you mean "kubeconfig"?'],
    ['contex', 'Did you mean "context"?'],
    ['delegat', 'Did you mean "delegate"?'],
    ['agentimage', 'Did you mean "agentImage"?'],
    ['service', 'Write "target": "service/NAME" instead.'],
    ['resource', 'Write "target": "service/NAME" instead.'],
    ['resourceType', 'Write "target": "service/NAME", which holds kind and name instead.'],
    ['deployment', 'Write "target": "deployment/NAME" instead.'],
    ['targetNamespace', 'Write "namespace" instead.'],
    ['targetCluster', 'Write "context" instead.'],
    ['targetContainer', 'Write "container" instead.'],
    ['localPort', 'Write "ports": { "CONTAINER PORT": LOCAL PORT } instead.'],
    ['isolateAs', 'requests cannot be split by their sender yet'],
    ['useKubernetesServiceEnvironmentVariables', 'Write "network": "env" instead.'],
    ['namespaces', 'Write "namespace" for the target\'s own and "otherNamespaces" for further ones instead.'],
    ['onPortConflicts', 'Did you mean "onPortConflict"?'],
    ['debugger', 'Write "delegate": { "type": … } instead.'],
    ['program', 'It belongs to the real debugger: move it into "delegate".'],
    ['env', 'It belongs to the real debugger: move it into "delegate".'],
    ['args', 'It belongs to the real debugger: move it into "delegate".'],
    ['console', 'It belongs to the real debugger: move it into "delegate".'],
    ['zebra', 'The keys are: type, request, name, target,'],
    ['constructor', 'The keys are:'],
    ['toString', 'The keys are:'],
  ])('%s', (key, advice) => {
    const problem = problemOf(() => parse({ target: 'cart', [key]: 'secret value' }));
    expect(problem.code).toBe('unknown-key');
    expect(problem.what).toBe(`launch.json: "${key}" is not a key of a kubernetes-local configuration.`);
    expect(problem.remedy).toContain(advice);
    expect(problem.message).not.toContain('secret value');
  });

  test.each([
    ['comand', 'Did you mean "command"?'],
    ['environmentkey', 'Did you mean "environmentKey"?'],
    ['cwd', 'It belongs to the real debugger: move it into "delegate".'],
    ['zebra', 'The keys are: command, host, port,'],
  ])('%s of the debug adapter', (key, advice) => {
    const problem = problemOf(() => parse({ target: 'cart', debugAdapter: { [key]: 'secret value' } }));
    expect(problem.what).toBe(`launch.json: "${key}" is not a key of "debugAdapter".`);
    expect(problem.remedy).toContain(advice);
    expect(problem.message).not.toContain('secret value');
  });

  test('before the missing key that it was meant for', () => {
    expect(problemOf(() => parse({ service: 'cart' })).code).toBe('unknown-key');
  });

  test('even one that JSON alone can make', () => {
    expect(problemOf(() => parse(JSON.parse('{"target":"a","__proto_":1,"hasOwnProperty":1}'))).what).toContain(
      '"hasOwnProperty"',
    );
  });
});

describe('what is missing', () => {
  test('the target, with an example', () => {
    const problem = problemOf(() => parse({ type: 'kubernetes-local', delegate: { type: 'go' } }));
    expect(problem.code).toBe('missing-key');
    expect(problem.message).toBe(
      'launch.json: "target" is missing. It says what runs here instead of in the cluster. Add for example "target": "service/cart".',
    );
  });

  test('the type of the delegate', () => {
    const problem = problemOf(() => parse({ target: 'cart', delegate: { program: 'a' } }));
    expect(problem.code).toBe('missing-key');
    expect(problem.what).toBe('launch.json: "delegate.type" is missing.');
    expect(problem.remedy).toContain('"delegate": { "type": "debugpy", … }');
  });
});

describe('a debug adapter that cannot be found', () => {
  test.each<[object, string, string]>([
    [{ host: 'localhost' }, '"debugAdapter.port" is missing', '"port": 4711'],
    [{ readyPattern: '(?<port>1)' }, '"debugAdapter.command" is missing', 'the command that starts it'],
    [{ command: ['a', '{port}'], port: 1 }, '"debugAdapter" has "port" and "{port}"', 'Keep one'],
    [{ command: ['a'], port: 1, readyPattern: '(?<port>1)' }, 'has "readyPattern" and "port"', 'Keep one'],
    [{ command: ['a', '{socket}', '{port}'] }, 'has "{port}" and "{socket}"', 'Keep one'],
    [{ command: ['a'], readyPattern: 'port (' }, '"debugAdapter.readyPattern" cannot be "port ("', '(?<port>'],
    [{ command: ['a'], readyPattern: 'port (\\d+)' }, 'It has no group "port"', '(?<port>'],
  ])('%j', (debugAdapter, what, remedy) => {
    const { message } = problemOf(() => parse({ target: 'a', debugAdapter }));
    expect(message).toContain(what);
    expect(message).toContain(remedy);
  });
});

describe('a wrong type is told with what was expected and what is there', () => {
  test.each<[object | null | undefined | string | number, string]>([
    [{ target: 1 }, '"target" must be a string, but is a number'],
    [{ target: null }, '"target" must be a string, but is null'],
    [{ target: ['cart'] }, '"target" must be a string, but is a list'],
    [{ target: 'a', namespace: {} }, '"namespace" must be a string, but is an object'],
    [{ target: 'a', context: true }, '"context" must be a string, but is a boolean'],
    [{ target: 'a', kubeconfig: ['a', 'b'] }, '"kubeconfig" must be a string, but is a list'],
    [{ target: 'a', ports: [8080] }, '"ports" must be an object, but is a list'],
    [{ target: 'a', ports: '8080:5000' }, '"ports" must be an object, but is a string'],
    [{ target: 'a', ports: { '8080': '5000' } }, '"ports.8080" must be a whole number, but is a string'],
    [{ target: 'a', ports: { http: 80.5 } }, '"ports.http" must be a whole number, but is a fraction'],
    [{ target: 'a', delegate: 'debugpy' }, '"delegate" must be an object, but is a string'],
    [{ target: 'a', delegate: { type: 5 } }, '"delegate.type" must be a string, but is a number'],
    [{ target: 'a', debugAdapter: 'dlv' }, '"debugAdapter" must be an object, but is a string'],
    [{ target: 'a', debugAdapter: { command: 'dlv' } }, '"debugAdapter.command" must be a list, but is a string'],
    [{ target: 'a', debugAdapter: { port: 'x' } }, '"debugAdapter.port" must be a whole number, but is a string'],
    [{ target: 'a', otherNamespaces: 'other' }, '"otherNamespaces" must be a list, but is a string'],
    [{ target: 'a', noDebug: 'yes' }, '"noDebug" must be a boolean, but is a string'],
    [[], 'launch.json must be an object, but is a list'],
    [null, 'launch.json must be an object, but is null'],
    [undefined, 'launch.json must be an object, but is undefined'],
    ['cart', 'launch.json must be an object, but is a string'],
  ])('%j', (value, what) => {
    const problem = problemOf(() => parse(value));
    expect(problem.code).toBe('wrong-type');
    expect(problem.what).toContain(`${what}.`);
  });

  test('with an example where there is one', () => {
    expect(problemOf(() => parse({ target: 1 })).remedy).toBe('Write for example "target": "service/cart".');
    expect(problemOf(() => parse({ target: 'a', ports: { x: '1' } })).remedy).toContain('"ports": { "8080": 5000 }');
    expect(problemOf(() => parse({ target: 'a', delegate: { type: 1 } })).remedy).toContain('"type": "debugpy"');
  });
});

describe('a bad value is told with what is allowed', () => {
  test.each<[object, string[]]>([
    [{ target: '' }, ['"target" is empty', '"target": "service/cart"']],
    [{ target: 'a', namespace: '' }, ['"namespace" is empty', '"namespace": "shop"']],
    [{ target: 'a', mode: 'intercept' }, ['"mode" cannot be "intercept"', 'It can be: "replace"']],
    [{ target: 'a', network: 'host' }, ['"network" cannot be "host"', '"auto", "hosts"', 'Did you mean "hosts"?']],
    [
      { target: 'a', network: 'pod' },
      ['"network" cannot be "pod"', '"namespace", "env"', 'Write "auto" or leave it out'],
    ],
    [
      { target: 'a', otherNamespaces: ['Shop'] },
      ['"otherNamespaces.0" cannot be "Shop"', '"otherNamespaces": ["other"]'],
    ],
    [{ target: 'a', otherNamespaces: ['a', 'a'] }, ['"otherNamespaces" cannot be ["a","a"]']],
    [{ target: 'a', onPortConflict: 'kill' }, ['It can be: "ask", "fail", "other-port", "stop"']],
    [{ target: 'a', elevate: 'allways' }, ['"elevate" cannot be "allways"', 'It can be: "ask", "never", "allow"']],
    [{ target: 'a', request: 'Launch' }, ['"request" cannot be "Launch"', 'Did you mean "launch"?']],
    [{ target: 'a', type: 'python' }, ['"type" cannot be "python"', 'belongs into "delegate"']],
    [{ target: 'a', delegate: { type: 'go', request: 'test' } }, ['"delegate.request"', '"launch", "attach"']],
    [{ target: 'a', ports: { '8080': 0 } }, ['"ports.8080" cannot be 0', 'from 1 to 65535']],
    [{ target: 'a', ports: { '8080': 65536 } }, ['"ports.8080" cannot be 65536', 'from 1 to 65535']],
    [{ target: 'a', debugAdapter: { port: 0 } }, ['"debugAdapter.port" cannot be 0', '"port": 4711']],
    [{ target: 'a', debugAdapter: { command: [] } }, ['"debugAdapter.command" cannot be []', 'dapDebugServer.js']],
    [{ target: 'a', debugAdapter: { environment: 'map' } }, ['It can be: "object", "list", "process"']],
    [{ target: 'a', ports: { '65536': 80 } }, ['"65536", which is not a port']],
    [{ target: 'a', ports: { '0': 80 } }, ['"0", which is not a port']],
    [{ target: 'a', ports: { '080': 80 } }, ['"080", which is not a port']],
    [{ target: 'a', ports: { '8080/tcp': 80 } }, ['"8080/tcp", which is not a port', '"ports": { "8080": 5000 }']],
    [{ target: 'a', ports: { HTTP: 80 } }, ['"HTTP", which is not a port']],
    [{ target: 'a', ports: { 'sixteen-letters-': 80 } }, ['which is not a port']],
    [{ target: 'a', ports: { '8080': 5000, http: 5000 } }, ['leads both 8080 and http to local port 5000']],
  ])('%j', (value, words) => {
    const problem = problemOf(() => parse(value));
    expect(problem.code).toBe('bad-value');
    for (const word of words) expect(problem.message).toContain(word);
  });
});

describe('port mappings', () => {
  test.each([
    ['8080:5000', '8080', 5000],
    ['http:5000', 'http', 5000],
    ['8080', '8080', 8080],
    ['1:65535', '1', 65535],
    ['grpc-web:9090', 'grpc-web', 9090],
  ])('%s', (text, containerPort, localPort) => {
    expect(parsePortMapping(text)).toEqual({ containerPort, localPort });
  });

  test.each([
    '',
    ':',
    '8080:',
    ':5000',
    'http',
    '8080:http',
    '0:80',
    '80:0',
    '80:65536',
    '65536:80',
    '1:2:3',
    '80:1e3',
  ])('"%s" is refused', (text) => {
    const problem = problemOf(() => parsePortMapping(text));
    expect(problem.code).toBe('bad-arguments');
    expect(problem.what).toContain(`"${text}"`);
  });
});

describe('the schema', () => {
  test('its types are current', async () => {
    expect(await generateTypes()).toBe(await readFile(typesFile, 'utf8'));
  });

  test('every key of ours has a title, a description and examples', () => {
    const own = Object.entries(schema.properties).filter(([, property]) => !('doNotSuggest' in property));
    expect(own.length).toBeGreaterThan(10);
    for (const [key, property] of own) {
      expect(property, key).toMatchObject({
        title: expect.any(String),
        description: expect.stringMatching(/\.$/),
        examples: expect.any(Array),
      });
    }
  });

  test('its examples are valid', () => {
    for (const [key, property] of Object.entries(schema.properties)) {
      for (const example of 'examples' in property ? property.examples : []) {
        expect(() => parse({ target: 'cart', [key]: example }), `${key}: ${JSON.stringify(example)}`).not.toThrow();
      }
    }
  });

  test('its snippet is valid once the placeholders are filled in', () => {
    for (const { body } of schema.defaultSnippets) {
      const filled: unknown = JSON.parse(
        JSON.stringify(body)
          .replace(/"\^\\"((?:[^"\\]|\\\\)*)\\""/g, '"$1"')
          .replaceAll('\\\\$', '')
          .replace(/\$\{\d+:([^}]*)\}/g, '$1'),
      );
      expect(parse(filled)).toMatchObject({ name: 'cart in the cluster', target: 'service/cart' });
    }
  });
});
