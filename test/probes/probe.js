/** Calls names as Node programs do. README.md has the command line. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const limit = 10_000;

function placeOf(target, port, fromEnvironment) {
  if (!fromEnvironment) return { host: target, number: Number(port) };
  const variable = (name) => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`the variable ${name} is not set`);
    return value;
  };
  const host = variable(`${target}_SERVICE_HOST`);
  return { host, number: Number(process.env[`${target}_PORT_${port}_TCP_PORT`] ?? variable(`${target}_SERVICE_PORT`)) };
}

async function call(host, port) {
  const socket = connect({ host, port, signal: AbortSignal.timeout(limit) });
  socket.setTimeout(limit, () => socket.destroy(new Error('no answer')));
  await once(socket, 'connect');
  socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
  const answer = await text(socket);
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('the answer is not HTTP');
  return { status: Number(answer.split(' ', 2)[1]), body: answer.slice(end + 4) };
}

async function probe(target, port, fromEnvironment) {
  const result = { target, port: Number(port) };
  try {
    const { host, number } = placeOf(target, port, fromEnvironment);
    result.host = host;
    const found = await lookup(host, { all: true });
    result.addresses = [...new Set(found.map(({ address }) => address))];
    return { ...result, ...(await call(host, number)) };
  } catch (error) {
    return {
      ...result,
      error: error instanceof Error ? `${error.code ?? error.name}: ${error.message}` : String(error),
    };
  }
}

const words = process.argv.slice(2);
const fromEnvironment = words[0] === '--env';
if (fromEnvironment) words.shift();
if (words.length === 0 || words.length % 2 !== 0) {
  console.error('usage: probe [--env] NAME PORT ...');
  process.exit(2);
}
for (let index = 0; index < words.length; index += 2) {
  console.log(JSON.stringify(await probe(words[index], words[index + 1], fromEnvironment)));
}
