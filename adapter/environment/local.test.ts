import { expect, test } from 'vitest';
import { localEnvironment } from './local.ts';

const variable = (name: string, value: string) => ({ name, value, origin: 'container cart', secret: false });

test('the pod wins over the computer, and kubernetes-local over both', () => {
  const { environment, kept } = localEnvironment(
    [variable('GREETING', 'from the pod'), variable('EMPTY', ''), variable('KUBERNETES_LOCAL_POD', 'fake')],
    { GREETING: 'from here', EDITOR: 'vi' },
    { KUBERNETES_LOCAL_POD: 'cart-1' },
  );
  expect(environment).toEqual({ GREETING: 'from the pod', EMPTY: '', KUBERNETES_LOCAL_POD: 'cart-1' });
  expect(kept).toEqual([]);
});

test.each(['PATH', 'HOME', 'TMPDIR', 'LD_PRELOAD', 'PYTHONPATH', 'JAVA_TOOL_OPTIONS', 'GOPATH'])(
  '%s stays as it is on the computer, set or not',
  (name) => {
    const nothing = { environment: {}, variables: [], kept: [name] };
    expect(localEnvironment([variable(name, '/in/the/pod')], { [name]: '/here' })).toEqual(nothing);
    expect(localEnvironment([variable(name, '/in/the/pod')], {})).toEqual(nothing);
  },
);

test('the variables given come with their origins', () => {
  const greeting = variable('GREETING', 'hello');
  expect(localEnvironment([greeting, variable('PATH', '/bin')], {}).variables).toEqual([greeting]);
});

test('a kept variable that is the same here is not worth a word', () => {
  expect(localEnvironment([variable('SHELL', '/bin/sh')], { SHELL: '/bin/sh' }).kept).toEqual([]);
});

test.each(['LANG', 'LC_ALL', 'TZ', 'HOSTNAME', 'HTTP_PROXY', 'NODE_ENV', 'PORT'])('%s is the pod’s', (name) => {
  expect(localEnvironment([variable(name, 'x')], { [name]: 'y' }).environment).toEqual({ [name]: 'x' });
});

test('Windows does not tell Path from PATH', () => {
  expect(localEnvironment([variable('Path', '/bin')], {}, {}, 'win32').environment).toEqual({});
  expect(localEnvironment([variable('Path', '/bin')], {}, {}, 'linux').environment).toEqual({ Path: '/bin' });
});
