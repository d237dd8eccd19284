/** Why a promise is missed, and how that is known; printed below the table when it is missed. By the name of the row. */

const fullProcessors =
  'Both processors are full (`perf record -a` beside one stream without distance, 2026-11-29: 5 % idle). Daemon and agent with V8’s own threads take 42 % of them during a download and 37 % during an upload, API server, kubelet and containerd 38 and 44 %; of kubectl’s transfers kubectl and the simulated road take 37 and 26 %, the others 46 and 62 %. Over a distance the connection’s window has to grow first: from 4 MiB to twice what came in the last round trip, and so on.';
const turns =
  'By `ss` while it waits (2026-11-29) little stands on the road itself, 0.3 to 0.5 MB in each socket; 3 to 4 MB wait before it, in the sockets of the transfer’s own server and program. What is left is that each of five processes has to get its turn on two processors that are full (`perf record -a`: 5 % idle).';
const fewSamples =
  'The 99th percentile of so few samples is the slowest one or two: a moment in which V8 collects, or another process has the processor. Known from the median, which is far below; no profile was taken.';

export const reasons: Readonly<Record<string, string>> = {
  'new connection, outbound, p99': fewSamples,
  'new connection, inbound, p50':
    'Without distance it is two passages through Node, in agent and daemon; the probe’s own connection to the pod is a part of it. It is at the bar: 1.97 ms in another run.',
  'new connection, inbound, p99': fewSamples,
  'one stream, download': fullProcessors,
  'one stream, upload': fullProcessors,
  'streams at once, download': fullProcessors,
  'streams at once, upload': fullProcessors,
  'small request beside a download, p99': turns,
  'small request beside an upload, p99': turns,
  'HTTP requests, outbound':
    'Both are bound by the round trip here (64 connections at 20 ms make 3,200 requests at most); in other runs ours was ahead (2,878 to 2,821).',
};
