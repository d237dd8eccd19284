/** Why a promise is missed, and how that is known; printed below the table when it is missed. By the name of the row. */

const maskedBytes =
  'By `perf record` on each process of the road (2026-11-28): containerd is at 90 % of a processor during an upload, in `hybiFrameReader.Read` of golang.org/x/net/websocket, which takes the masked bytes of our websocket one by one: 5.5 s of its time for a GB up and 1.6 s down; kubectl’s connection ends there as SPDY, 1.4 and 0.4 s. The daemon is at 35 % of a processor meanwhile, the agent at 18 %; during a download at 51 and 27 %. At 80 ms the windows are the limit: Node gives one back when half of it is used, so 24 MiB up and 32 MiB down are 1.2 and 1.6 Gbit/s.';
const oneQueue =
  'All streams share one connection to the API server, as kubectl’s do: a small request waits for what is before it. By `ss` beside an upload up to 2.9 MB of it wait in the socket between containerd and agent alone. With a build that is faster (over SPDY, not released) it was 6 to 10 MB on the road to the API server, and by `perf sched latency` single waits for a processor of 8 to 19 ms came on top, since both were full.';
const fewSamples =
  'The 99th percentile of so few samples is the slowest one or two: a moment in which V8 collects, or another process has the processor. Known from the median, which is far below; no profile was taken.';

export const reasons: Readonly<Record<string, string>> = {
  'new connection, outbound, p99': fewSamples,
  'new connection, inbound, p50':
    'Without distance it is two passages through Node, in agent and daemon; the probe’s own connection to the pod is a part of it. It is at the bar: 1.97 ms in another run.',
  'new connection, inbound, p99': fewSamples,
  'one stream, download': maskedBytes,
  'one stream, upload': maskedBytes,
  'streams at once, download': maskedBytes,
  'streams at once, upload': maskedBytes,
  'small request beside a download, p99': oneQueue,
  'small request beside an upload, p99': oneQueue,
  'HTTP requests, outbound':
    'Both are bound by the round trip here (64 connections at 20 ms make 3,200 requests at most); in other runs ours was ahead (2,666 to 2,290).',
};
