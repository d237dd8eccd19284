import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProbeAnswer, type ProbeLanguage, probe, probeLanguages, readAnswers } from './probes.ts';

const run = promisify(execFile);
const body = 'prices of the session\n"quoted" \\ übrig\n';

let server: Server;
let port: number;
let freed: number;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.writeHead(request.headers.host === 'localhost' ? 200 : 421).end(body);
  }).listen(0, '127.0.0.1');
  const other = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(other, 'listening')]);
  [port, freed] = [server, other].map((each) => {
    const address = each.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }) as [number, number];
  await new Promise((resolve) => other.close(resolve));
});
afterAll(() => server.close());

async function ask(language: ProbeLanguage, words: readonly string[], env = {}): Promise<readonly ProbeAnswer[]> {
  const [program = '', ...args] = await probe(language);
  const { stdout } = await run(program, [...args, ...words], { env: { ...process.env, ...env } });
  return readAnswers(stdout);
}

describe.each(probeLanguages)('the probe in %s', (language) => {
  it('calls names, one after the other', async () => {
    const answers = await ask(language, ['localhost', `${port}`, '127.0.0.1', `${port}`, 'localhost', `${freed}`]);
    const addresses = expect.arrayContaining(['127.0.0.1']);
    expect(answers).toEqual([
      { target: 'localhost', host: 'localhost', port, addresses, status: 200, body },
      { target: '127.0.0.1', host: '127.0.0.1', port, addresses, status: 421, body },
      { target: 'localhost', host: 'localhost', port: freed, addresses, error: expect.stringMatching(/refused/i) },
    ]);
  });

  it('says what it cannot resolve', async () => {
    const [answer] = await ask(language, ['no-such-name.invalid', '80']);
    expect(answer).toMatchObject({ target: 'no-such-name.invalid', addresses: [], error: expect.any(String) });
    expect(answer).not.toHaveProperty('status');
  });

  it('calls what variables name', async () => {
    const variables = {
      PRICES_SERVICE_HOST: 'localhost',
      PRICES_SERVICE_PORT: `${freed}`,
      PRICES_PORT_80_TCP_PORT: `${port}`,
      CART_SERVICE_HOST: 'localhost',
      CART_SERVICE_PORT: `${port}`,
    };
    const answers = await ask(language, ['--env', 'PRICES', '80', 'CART', '8080', 'NOBODY', '80'], variables);
    expect(answers).toMatchObject([
      { target: 'PRICES', port: 80, host: 'localhost', status: 200 },
      { target: 'CART', port: 8080, host: 'localhost', status: 200 },
      { target: 'NOBODY', port: 80, error: expect.stringContaining('is not set') },
    ]);
  });

  it('refuses a wrong command line', async () => {
    await expect(ask(language, ['localhost'])).rejects.toMatchObject({ code: 2 });
  });
});

it('what is built is not built again', async () => {
  expect(await probe('c')).toEqual(await probe('c'));
});

it('the Go probe is static: it uses no resolver of the system', async () => {
  const [program = ''] = await probe('go');
  const { stdout } = await run('readelf', ['--dynamic', program]);
  expect(stdout).toContain('There is no dynamic section');
});
