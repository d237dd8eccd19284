/** Several parts of a connect at once, of which each may refuse. */

/** Like Promise.all, but lets every part settle, so that none goes on behind a failure. */
export async function allOrFirstProblem<T extends readonly unknown[]>(
  parts: T,
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(parts);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return Promise.all(parts) as Promise<{ [K in keyof T]: Awaited<T[K]> }>;
}

/** Runs all parts at once; the first failure aborts the others and is thrown when every part has settled. */
export async function allOrNone<T extends readonly ((signal: AbortSignal) => Promise<unknown>)[]>(
  parts: readonly [...T],
  signal: AbortSignal,
): Promise<{ [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const results = await Promise.allSettled(
    parts.map(async (part) => {
      try {
        return await part(both);
      } catch (error) {
        if (!failed.signal.aborted) failed.abort(error);
        throw error;
      }
    }),
  );
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as {
    [K in keyof T]: Awaited<ReturnType<T[K]>>;
  };
}
