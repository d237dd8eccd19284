/** Why a promise is missed, and how that is known; printed below the table when it is missed. By the name of the row. */

const fullProcessors =
  'Both processors are full (`perf record -a` beside one stream without distance, 2026-11-29: 5 % idle). Daemon and agent with V8’s own threads take 42 % of them during a download and 37 % during an upload, API server, kubelet and containerd 38 and 44 %; of kubectl’s transfers kubectl and the simulated road take 37 and 26 %, the others 46 and 62 %. Over a distance the connection’s window has to grow first: from 4 MiB to twice what came in the last round trip, and so on.';
const turns =
  'By `ss` while it waits (2026-11-29) little stands on the road itself, 0.3 to 0.5 MB in each socket; 3 to 4 MB wait before it, in the sockets of the transfer’s own server and program. What is left is that each of five processes has to get its turn on two processors that are full (`perf record -a`: 5 % idle).';
const slowestOnes =
  'By `perf sched` over 600 connections without distance (2026-11-29): a usual one takes 2.7 ms, in which all that it passes works for 4.6 ms on the two processors and waits for one of them for 3.3 ms, several at once. In the slowest 3 %, 7.4 ms on average, it is 13.7 and 11.4 ms: V8 collects and compiles in threads of daemon and agent (2.5 instead of 0.1 ms), and kubelet, API server, etcd and controllers have work of their own (3.6 instead of 1.0 ms). The limit, direct access, has a 99th percentile of 2.3 ms then.';

const usualOne =
  'By `perf sched` over 600 connections without distance (2026-11-29, 2.7 ms in the median): all that one of them passes, API server, kubelet, containerd, daemon, agent and both ends of the probe, works for 4.6 ms on the two processors and waits for one of them for 3.3 ms, several at once. kubectl’s connections pass the same, and take longer. On the computer of an earlier table it was 1.8 ms.';

export const reasons: Readonly<Record<string, string>> = {
  'new connection, outbound, p50': usualOne,
  'new connection, outbound, p99': slowestOnes,
  'new connection, inbound, p50':
    'By `perf sched` all that a connection passes works for 4.6 ms on two processors, several at once (see *outbound, p50*); here the probe’s own connection to the pod is a part of it. On the computer of an earlier table it was 1.97 ms.',
  'new connection, inbound, p99': slowestOnes,
  'one stream, download': fullProcessors,
  'one stream, upload': fullProcessors,
  'streams at once, download': fullProcessors,
  'streams at once, upload': fullProcessors,
  'small request beside a download, p99': turns,
  'small request beside an upload, p99': turns,
  'HTTP requests, outbound':
    'Both are bound by the round trip here (64 connections at 20 ms make 3,200 requests at most); in other runs ours was ahead (2,878 to 2,821).',
};
