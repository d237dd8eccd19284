/**
 * The program of a session that does what a test asks of it: `workbench.mjs SOCKET`. The test listens on the Unix socket; each
 * line of JSON that comes is `{ id, argv }`, a command to run here, or `{ id, serve: [host, port], text }`, a server to
 * start here. Each answer is a line too. Plain JavaScript, so that any Node runs it from anywhere.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const socket = connect(process.argv[2] ?? '');
socket.once('close', () => process.exit(0));
const answer = (id, value) => socket.write(`${JSON.stringify({ id, ...value })}\n`);

createInterface({ input: socket }).on('line', (line) => {
  const { id, argv, serve, text } = JSON.parse(line);
  if (serve !== undefined) {
    const [host, port] = serve;
    const server = createServer((_, response) => response.end(text));
    server.once('error', (error) => answer(id, { code: 1, stdout: '', stderr: error.message }));
    server.listen(port, host, () => answer(id, { code: 0, stdout: '', stderr: '' }));
    return;
  }
  const [program, ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  child.once('error', (error) => answer(id, { code: 127, stdout, stderr: error.message }));
  child.once('close', (code) => answer(id, { code: code ?? 128, stdout, stderr }));
});
