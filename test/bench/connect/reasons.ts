/** Why a promise is missed, and how that is known; printed below the table when it is missed. By the name of the measure. */
export const reasons: Readonly<Record<string, string>> = {
  'a replica more, of 20':
    'Node and cluster share two processors here, and starting 20 pods fills them (`perf record -a` beside one connect and one bare rollout of 20, 2026-11-29: 3 and 7 % idle). Agents, daemon and command take 4.5 s of them in a connect of 11.3 s, kubectl’s servers 0.8 s in 7.0 s; API server, kubelet and containerd 7.9 and 4.4 s: for each agent a log is read, two connections are forwarded, and its probe is held until its tunnel stands.',
};
