import { describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { parseLaunchConfiguration } from './configuration.ts';

const delegate = '{ "type": "debugpy", "request": "launch", "program": "main.py" }';

describe('a configuration of nothing but texts', () => {
  test('has its objects as JSON', () => {
    const ports = '{ "8080": 5000 }';
    const configuration = parseLaunchConfiguration({ target: 'cart', delegate, ports }, 'it');
    expect(configuration.delegate).toEqual({ type: 'debugpy', request: 'launch', program: 'main.py' });
    expect(configuration.ports).toEqual({ '8080': 5000 });
  });

  test('leaves the working directory of the client to the delegate', () => {
    const configuration = parseLaunchConfiguration({ target: 'cart', delegate, cwd: '/work/cart' }, 'it');
    expect(configuration.delegate).toMatchObject({ cwd: '/work/cart' });
    expect(configuration).not.toHaveProperty('cwd');
  });

  test('keeps a working directory of the delegate', () => {
    const own = '{ "type": "debugpy", "cwd": "/own" }';
    const configuration = parseLaunchConfiguration({ target: 'cart', delegate: own, cwd: '/work/cart' }, 'it');
    expect(configuration.delegate).toEqual({ type: 'debugpy', cwd: '/own', request: 'launch' });
  });

  test('is not changed itself', () => {
    const written = { target: 'cart', delegate, cwd: '/work/cart' };
    parseLaunchConfiguration(written, 'it');
    expect(written).toEqual({ target: 'cart', delegate, cwd: '/work/cart' });
  });
});

describe('what is wrong is told', () => {
  const problemOf = (configuration: unknown): Problem => {
    try {
      parseLaunchConfiguration(configuration, 'languages.toml');
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error('It is valid.');
  };

  test('a text that is no JSON', () => {
    const problem = problemOf({ target: 'cart', delegate: '{ "type": "debugpy" "env": { "TOKEN": "hunter2" } }' });
    expect(problem.code).toBe('bad-value');
    expect(problem.message).toContain('languages.toml: "delegate" is a text that is no JSON.');
    expect(problem.message).toContain('At character 21');
    expect(problem.message).not.toContain('hunter2');
  });

  test('any other text', () => {
    expect(problemOf({ target: 'cart', delegate: 'debugpy' }).code).toBe('wrong-type');
  });

  test('a working directory beside an object', () => {
    expect(problemOf({ target: 'cart', delegate: { type: 'debugpy' }, cwd: '/work/cart' }).code).toBe('unknown-key');
  });
});
