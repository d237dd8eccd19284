/** Asks the API server with Kubernetes' JavaScript client, as a program in a pod does. ../README.md has the command line and the answer. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AuthenticationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';

/** The path that loadFromCluster has built in. */
const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a pod has and this place has not. */
class Missing extends Error {}

/** What the path of the token folder begins with: nothing where it is at its own path, else KUBERNETES_LOCAL_MOUNTS. */
function accountPrefix() {
  for (const name of ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT']) {
    if (!process.env[name]) throw new Missing(`${name} is not set`);
  }
  const mounts = process.env.KUBERNETES_LOCAL_MOUNTS;
  const looked = ['', ...(mounts ? [mounts] : [])];
  const found = looked.find((prefix) => existsSync(`${prefix}${account}/token`));
  if (found === undefined) {
    throw new Missing(`there is no token in ${looked.map((prefix) => prefix + account).join(' or ')}`);
  }
  return found;
}

async function read(serverName) {
  const prefix = accountPrefix();
  const config = new KubeConfig();
  config.loadFromCluster(prefix);
  if (serverName) config.clusters = config.clusters.map((each) => ({ ...each, tlsServerName: serverName }));
  const namespace = readFileSync(`${prefix}${account}/namespace`, 'utf8');
  const core = config.makeApiClient(CoreV1Api);
  const pods = await core.listNamespacedPod({ namespace });
  const settings = await core.readNamespacedConfigMap({ namespace, name: 'settings' });
  const reviews = config.makeApiClient(AuthenticationV1Api);
  const review = await reviews.createSelfSubjectReview({ body: {} });
  return {
    server: config.getCurrentCluster()?.server,
    namespace,
    pods: pods.items.map(({ metadata }) => metadata?.name).sort(),
    configMap: settings.data?.GREETING ?? '',
    whoami: review.status?.userInfo?.username,
  };
}

/** The message and those of its causes: fetch says why it failed only there. */
function explain(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}

function commandLine() {
  try {
    return parseArgs({ options: { 'server-name': { type: 'string' } } }).values;
  } catch {
    console.error('usage: reader [--server-name NAME]');
    process.exit(2);
  }
}

const { 'server-name': serverName } = commandLine();
try {
  console.log(JSON.stringify(await read(serverName)));
} catch (error) {
  const text = explain(error).split(/\s+/).join(' ');
  console.error(error instanceof Missing ? `not in a cluster: ${text}` : text);
  process.exitCode = error instanceof Missing ? 2 : 1;
}
