import { describe, expect, it } from 'vitest';
import { withVariables } from './launch-variables.ts';

/** As it stands in launch.json. */
const variable = (name: string) => `\${${name}}`;

describe('withVariables', () => {
  it('fills in the folder wherever it stands, and leaves all else', () => {
    const configuration = {
      target: 'service/cart',
      ports: { '8080': 5000 },
      environment: { envFile: [`${variable('workspaceFolder')}/.env`], override: { X: null } },
      delegate: {
        cwd: variable('workspaceFolder'),
        name: variable('workspaceFolderBasename'),
        program: variable('file'),
      },
    };
    expect(withVariables(configuration, '/src/cart$&')).toEqual({
      target: 'service/cart',
      ports: { '8080': 5000 },
      environment: { envFile: ['/src/cart$&/.env'], override: { X: null } },
      delegate: { cwd: '/src/cart$&', name: 'cart$&', program: variable('file') },
    });
  });
});
