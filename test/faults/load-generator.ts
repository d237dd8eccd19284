/**
 * Runs in a pod: makes so many requests a second to one address, half over kept connections and half over new ones, and
 * prints one line of JSON with what became of them. It has no dependencies: the image has only Node.
 */
import { Agent, get, type RequestOptions } from 'node:http';

const [, , url = '', rateText = '', secondsText = '', patienceText = ''] = process.argv;
const rate = Number(rateText);
const total = rate * Number(secondsText);
/** Milliseconds until a request counts as lost. */
const patience = Number(patienceText);
const tick = 10;

const kept = new Agent({ keepAlive: true, maxSockets: 400, scheduling: 'fifo' });
const fresh = new Agent({ keepAlive: false });
const latencies: number[] = [];
const losses: { readonly begun: number; readonly ended: number; readonly kept: boolean; readonly why: string }[] = [];
let sent = 0;
let done = 0;

function send(): void {
  const isKept = sent % 2 === 0;
  sent += 1;
  const begun = Date.now();
  const over = (why: string | undefined): void => {
    clearTimeout(timer);
    const ended = Date.now();
    if (why === undefined) latencies.push(ended - begun);
    else losses.push({ begun, ended, kept: isKept, why });
    done += 1;
    if (done === total) finish();
  };
  const options: RequestOptions = { agent: isKept ? kept : fresh };
  let settled = false;
  const settle = (why?: string): void => {
    if (settled) return;
    settled = true;
    over(why);
  };
  const request = get(url, options, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    response.once('end', () => settle(response.statusCode === 200 && body === 'here' ? undefined : `answer ${body}`));
    response.once('error', (error) => settle(error.message));
    response.once('close', () => settle('cut off'));
  });
  request.on('error', (error) => settle('code' in error ? String(error.code) : error.message));
  const timer = setTimeout(() => {
    settle('no answer in time');
    request.destroy();
  }, patience);
}

function finish(): void {
  latencies.sort((a, b) => a - b);
  const quantile = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? 0;
  const result = { requests: total, p50: quantile(0.5), p99: quantile(0.99), losses };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

const start = performance.now();
const pace = setInterval(() => {
  const due = Math.min(total, Math.floor(((performance.now() - start) * rate) / 1000));
  while (sent < due) send();
  if (sent === total) clearInterval(pace);
}, tick);
