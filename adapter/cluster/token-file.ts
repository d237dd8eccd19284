/** Tokens in files (`users[].user.tokenFile`), read again every minute as kubectl does; client-node does not know them. */
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { KubeConfig, User } from '@kubernetes/client-node';
import type { Log } from '../diagnostics/log.ts';
import { elapsed } from '../elapsed.ts';
import { Problem } from '../problem.ts';

export const tokenFileProvider = 'kubernetes-local/token-file';
const rereadMilliseconds = 60_000;

/** client-node does not export the interface itself. */
type Authenticator = Parameters<KubeConfig['addAuthenticator']>[0];

export class TokenFile implements Authenticator {
  readonly #log: Log;
  #token: { readonly text: string; readonly readAt: number } | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  isAuthProvider(user: User): boolean {
    return user.authProvider?.name === tokenFileProvider;
  }

  async applyAuthentication(user: User, options: RequestOptions): Promise<void> {
    options.headers = {
      ...options.headers,
      Authorization: `Bearer ${await this.#read(String(user.authProvider.config))}`,
    };
  }

  /** The server refused the token: the file will be read anew. */
  forget(): void {
    this.#token = undefined;
  }

  async #read(path: string): Promise<string> {
    if (this.#token && elapsed() - this.#token.readAt < rereadMilliseconds) return this.#token.text;
    try {
      const text = (await readFile(path, 'utf8')).trim();
      this.#log.redactor.add(text);
      this.#token = { text, readAt: elapsed() };
      return text;
    } catch (error) {
      throw new Problem(
        {
          code: 'credentials-refused',
          what: `The token file ${path} of the kubeconfig cannot be read.`,
          why: error instanceof Error ? error.message : String(error),
          remedy: 'Correct tokenFile in the kubeconfig or sign in again.',
        },
        { cause: error },
      );
    }
  }
}
