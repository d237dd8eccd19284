import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../problem.ts';
import { checkProcessConfig } from './check.ts';
import { demandsOf } from './demands.ts';
import { findProcessConfig, parseProcessConfig, readProcessConfig } from './process-config.ts';

const file = '/work/cart/KubernetesLocalProcessConfig.yaml';
const parse = (text: string) => parseProcessConfig(text, file);
const faults = (text: string) =>
  checkProcessConfig(text, file).faults.map(({ line, column, what, remedy }) => `${line}:${column}: ${what} ${remedy}`);

describe('a valid file', () => {
  test('each entry has its place', () => {
    const config = parse(
      'version: 0.1\nvolumeMounts:\n  - name: allow-list\n    localPath: ./lists\nenv:\n  - name: LIST\n    value: "a $(volumeMounts:allow-list)/x"\nenableFeatures: [Probes]\n',
    );
    expect(config).toEqual({
      file,
      volumeMounts: [{ name: 'allow-list', localPath: '/work/cart/lists', line: 3, column: 5 }],
      env: [
        {
          name: 'LIST',
          written: 'a $(volumeMounts:allow-list)/x',
          line: 6,
          column: 11,
          parts: [
            { kind: 'text', text: 'a ', line: 7, column: 12 },
            {
              kind: 'volumeMounts',
              name: 'allow-list',
              at: 2,
              written: '$(volumeMounts:allow-list)',
              line: 7,
              column: 15,
            },
            { kind: 'text', text: '/x', line: 7, column: 12 },
          ],
        },
      ],
      enableFeatures: [{ name: 'Probes', line: 8, column: 18 }],
    });
  });

  test.each(['0.1', '"0.1"', "'0.1'", '0.0', '0.1.0'].map((version) => [version]))('version %s', (version) => {
    if (version === '0.1.0') return expect(parse(`version: ${version}`).env).toEqual([]);
    return expect(parse(`version: ${version}\nvolumeMounts:\nenv: ~\nenableFeatures: null\n`)).toEqual({
      file,
      env: [],
      volumeMounts: [],
      enableFeatures: [],
    });
  });

  test('values are the text that stands there, whatever YAML would make of it', () => {
    const text =
      'version: 0.1\nenv:\n- {name: A, value: true}\n- {name: B, value: 0644}\n- {name: C, value: 1.10}\n- name: D\n- {name: E, value: }\n- name: F\n  value: |\n    one\n    two\n';
    expect(parse(text).env.map(({ name, written }) => [name, written])).toEqual([
      ['A', 'true'],
      ['B', '0644'],
      ['C', '1.10'],
      ['D', ''],
      ['E', ''],
      ['F', 'one\ntwo\n'],
    ]);
  });

  test('anchors and aliases', () => {
    const text = 'version: 0.1\nenv:\n- &one {name: A, value: $(services:cart)}\n- *one\n';
    expect(parse(text).env.map(({ line, parts }) => [line, parts[0]?.kind])).toEqual([
      [3, 'services'],
      [4, 'services'],
    ]);
  });
});

describe('errors have a place and name the right word', () => {
  test.each([
    ['', '1:1: The file is empty. It begins with "version: 0.1".'],
    ['# only a comment\n', '1:1: The file is empty. It begins with "version: 0.1".'],
    ['env: []\n', '1:1: "version" is missing. Write "version: 0.1".'],
    ['version: 0.2\n', '1:10: The version cannot be "0.2". Write 0.1; there is no later one.'],
    ['version: one\n', '1:10: The version cannot be "one". Write 0.1; there is no later one.'],
    [
      'version: 0.1\nenviron:\n',
      '2:1: "environ" is not a key of the file. The keys are: version, volumeMounts, env, enableFeatures.',
    ],
    ['version: 0.1\nvolumeMount:\n', '2:1: "volumeMount" is not a key of the file. Did you mean "volumeMounts"?'],
    ['version: 0.1\nenv:\n  - name: A\n    valu: x\n', '4:5: "valu" is not a key of "env.0". Did you mean "value"?'],
    [
      'version: 0.1\nvolumeMounts:\n  - name: A\n    localpath: x\n',
      '4:5: "localpath" is not a key of "volumeMounts.0". Did you mean "localPath"?',
    ],
    [
      'version: 0.1\nenableFeatures:\n  - Probes\n  - managedIdentity\n',
      '4:5: There is no feature "managedIdentity". Did you mean "ManagedIdentity"?',
    ],
    [
      'version: 0.1\nenv:\n  A: b\n',
      '3:3: "env" must be a list. Write for example "- name: DEBUG_MODE" and below it "value: \'true\'".',
    ],
    [
      'version: 0.1\nenv:\n  - value: b\n',
      '3:5: "env.0.name" is missing. Write for example "- name: DEBUG_MODE" and below it "value: \'true\'".',
    ],
    [
      'version: 0.1\nenv:\n  - name: A=B\n',
      '3:11: "env.0.name" is no name that a variable can have. Write for example "- name: DEBUG_MODE" and below it "value: \'true\'".',
    ],
    ['- version: 0.1\n', '1:1: the file must be a mapping of keys to values. Write "version: 0.1".'],
  ])('%j', (text, fault) => {
    expect(faults(text)).toEqual([fault]);
  });

  test.each([
    ['$HOME/x', 8, 'A "$" begins a token such as $(services:NAME). Write "$$" for the sign itself.'],
    ['costs 5$', 15, 'A "$" begins a token such as $(services:NAME). Write "$$" for the sign itself.'],
    ['a $(services:x', 10, '"$(" has no ")". Close it.'],
    ['$(service:x)', 8, '$(service:x) is no token. Did you mean "services"?'],
    ['$(volumemount:x)', 8, '$(volumemount:x) is no token. Did you mean "volumeMounts"?'],
    [
      '$(services)',
      8,
      '$(services) is not complete or not well formed. Write $(services:NAME), $(services:NAME.NAMESPACE) or $(services:NAME:80,443).',
    ],
    [
      '$(services:a.b.c)',
      8,
      '$(services:a.b.c) is not complete or not well formed. Write $(services:NAME), $(services:NAME.NAMESPACE) or $(services:NAME:80,443).',
    ],
    [
      '$(services:a:80,x)',
      8,
      '"80,x" in $(services:a:80,x) is no list of ports. Write numbers from 1 to 65535, as in 80,443.',
    ],
    [
      '$(services:a:70000)',
      8,
      '"70000" in $(services:a:70000) is no list of ports. Write numbers from 1 to 65535, as in 80,443.',
    ],
    [
      '$(externalendpoints:db.example.net)',
      8,
      '$(externalendpoints:db.example.net) is not complete or not well formed. Write $(externalendpoints:HOST:PORT).',
    ],
  ])('value %s', (value, column, fault) => {
    const [found] = faults(`version: 0.1\nenv:\n- name: A\n  value: ${value}\n`);
    expect(found).toBe(`4:${column + 2}: ${fault}`);
  });

  test('a token of no known kind, and a reference as Kubernetes has it', () => {
    expect(faults('version: 0.1\nenv:\n- {name: A, value: "$(file:/etc/x) $(HOME)"}\n')).toEqual([
      expect.stringMatching(/^3:21: \$\(file:\/etc\/x\) is a token of no known kind\. The tokens are /),
      expect.stringMatching(
        /^3:36: \$\(HOME\) is no token\. The tokens are .* Write "\$\$" for a "\$" that begins none\.$/,
      ),
    ]);
  });

  test('inside of a text over several lines', () => {
    const text = 'version: 0.1\nenv:\n  - name: A\n    value: |\n      first $$\n      then $(service:x)\n';
    expect(faults(text)).toEqual(['6:12: $(service:x) is no token. Did you mean "services"?']);
  });

  test('where an escape hides the sign, the value is the place', () => {
    expect(faults('version: 0.1\nenv:\n- {name: A, value: "ab\\x24HOME"}\n')).toEqual([
      '3:20: A "$" begins a token such as $(services:NAME). Write "$$" for the sign itself.',
    ]);
  });

  test.each([
    ['version: 0.1\nenv: [\n', /^3:1: This is no valid YAML: /],
    ['version: 0.1\nenv:\nenv:\n', /^3:1: This is no valid YAML: Map keys must be unique/],
    ['version: 0.1\n\tenv: x\n', /^\d+:\d+: This is no valid YAML: /],
    ['version: 0.1\n---\nversion: 0.1\n', /^2:1: This is no valid YAML: /],
  ])('YAML %j', (text, fault) => {
    expect(faults(text)[0]).toMatch(fault);
  });

  test('aliases that would fill the memory', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level + 1}: &l${level + 1} [${'*l'.concat(`${level},`).repeat(9)}]`,
    );
    expect(faults(`version: 0.1\nl0: &l0 [x]\n${levels.join('\n')}\n`)[0]).toMatch(
      /^1:1: This is no valid YAML: .*alias/,
    );
  });

  test('all at once, in one Problem', () => {
    try {
      parse('version: 0.3\nenv:\n  - name: A\n    value: $X\n');
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      expect(error).toMatchObject({
        code: 'bad-value',
        what: `${file}:1:10: The version cannot be "0.3".`,
        why: 'KubernetesLocalProcessConfig.yaml:4:12: A "$" begins a token such as $(services:NAME).',
        remedy: 'Write 0.1; there is no later one.',
      });
      return;
    }
    throw new Error('no problem was thrown');
  });
});

describe('demands', () => {
  test('everything once', () => {
    const text = `version: 0.1
volumeMounts:
  - { name: allow-list, localPath: /tmp/lists }
  - { name: unused }
env:
  - { name: A, value: "$(services:a.other) $(services:b) $(services:c.other:80) $(services:d.third)" }
  - { name: B, value: "$(externalendpoints:db.example.net:1433, 1434) $(externalendpoints:DB.example.net:1433)" }
  - { name: C, value: "$(volumeMounts:allow-list) $(volumeMounts:tokens-*)" }
enableFeatures: [ManagedIdentity, LifecycleHooks]
`;
    expect(demandsOf(parse(text))).toEqual({
      namespaces: ['other', 'third'],
      externalEndpoints: [
        { host: 'db.example.net', port: 1433 },
        { host: 'db.example.net', port: 1434 },
      ],
      volumeMounts: [{ name: 'allow-list', localPath: '/tmp/lists' }, { name: 'unused' }, { name: 'tokens-*' }],
      keep: { probes: false, lifecycle: true },
      managedIdentity: true,
    });
  });

  test('nothing', () => {
    expect(demandsOf(parse('version: 0.1\n'))).toEqual({
      namespaces: [],
      externalEndpoints: [],
      volumeMounts: [],
      keep: { probes: false, lifecycle: false },
      managedIdentity: false,
    });
  });
});

test('the file is looked for in the folders, in their order', () => {
  const root = mkdtempSync(join(tmpdir(), 'process-config-'));
  try {
    const folders = ['one', 'two', 'three'].map((name) => join(root, name));
    const [one = '', two = '', three = ''] = folders;
    for (const folder of [two, three]) mkdirSync(folder);
    expect(findProcessConfig([one, two, three])).toBeUndefined();
    writeFileSync(join(three, 'KubernetesLocalProcessConfig.yaml'), 'version: 0.1\n');
    writeFileSync(join(two, 'kuberneteslocalprocessconfig.yml'), 'version: 0.1\n');
    mkdirSync(join(two, 'KubernetesLocalProcessConfig.yaml'));
    expect(readProcessConfig(join(three, 'KubernetesLocalProcessConfig.yaml')).env).toEqual([]);
    expect(() => readProcessConfig(join(one, 'gone.yaml'))).toThrow(expect.objectContaining({ code: 'bad-value' }));
    expect(findProcessConfig([one, two, three])).toBe(join(three, 'KubernetesLocalProcessConfig.yaml'));
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('faults of keys and of values are told together, in their order', () => {
  expect(
    faults('version: 9.9\nenv:\n- {name: A, value: $X}\n- {name: B, valu: y}\n').map((fault) => fault.split(' ')[0]),
  ).toEqual(['1:10:', '3:20:', '4:13:']);
});
