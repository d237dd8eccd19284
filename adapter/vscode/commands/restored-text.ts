/** What `kubernetes-local restore` has done, for a message: its results, without what it was doing meanwhile. */

/** In one paragraph. A line of progress ends with "…". */
export function restoredText(lines: readonly string[]): string {
  const results = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.endsWith(' …'));
  const sentences = results.map((line) => (/[.!?:]$/.test(line) ? line : `${line}.`));
  return sentences.length === 0 ? 'Nothing was left behind.' : sentences.join(' ');
}
