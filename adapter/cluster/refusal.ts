/** The answer of an API server that does not upgrade a connection. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { ApiError } from './api-error.ts';

/** What it says; without its words if they do not arrive. */
export async function refusalOf(method: string, path: string, response: IncomingMessage): Promise<ApiError> {
  const body = await text(response).catch(() => '');
  return new ApiError(method, path, response.statusCode ?? 0, body);
}
