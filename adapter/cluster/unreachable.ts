/** Says in the user's words why a connection to the API server did not come about. */
import { Problem } from '../problem.ts';

const certificateCodes = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
  'EPROTO',
]);

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused (ECONNREFUSED): nothing listens there.',
  ECONNRESET: 'The connection was reset (ECONNRESET).',
  ENOTFOUND: 'The host name is not known (DNS: ENOTFOUND).',
  EAI_AGAIN: 'The host name could not be looked up (DNS: EAI_AGAIN).',
  EHOSTUNREACH: 'There is no route to the host (EHOSTUNREACH).',
  ENETUNREACH: 'There is no route to the network (ENETUNREACH).',
  ETIMEDOUT: 'It did not answer in time (timeout).',
};

/** Problem `cluster-unreachable` for a network, DNS, TLS or timeout error; `server` is the API server's URL. */
export function unreachable(server: string, error: unknown): Problem {
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  let why = reasons[code];
  let remedy = 'Check the network, the VPN and that the cluster runs.';
  if (certificateCodes.has(code)) {
    why = `The TLS connection failed: ${message} (${code}).`;
    remedy = 'Check certificate-authority and tls-server-name of this cluster in the kubeconfig.';
  } else if (error instanceof Error && error.name === 'TimeoutError') {
    why = reasons.ETIMEDOUT;
  }
  return new Problem(
    {
      code: 'cluster-unreachable',
      what: `The API server ${server} cannot be reached.`,
      why: why ?? `${message}.`,
      remedy,
    },
    { cause: error },
  );
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return '';
}
