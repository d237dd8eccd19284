/** The list of docs/environment.md, made from the list that the program uses. */
import { readFileSync } from 'node:fs';
import { localEnvironment } from '../../adapter/environment/local.ts';
import { inLines } from './lines.ts';

/** The variables that stay the computer's own, in lines. */
export function variablesOfTheComputer(): string {
  return inLines(ofTheComputer());
}

/** Every name in the source that the program, asked, does keep. An Error if it keeps none of them. */
function ofTheComputer(): readonly string[] {
  const source = readFileSync(new URL('../../adapter/environment/local.ts', import.meta.url), 'utf8');
  const names = [...new Set([...source.matchAll(/'([A-Za-z0-9_()]+)'/g)].map(([, name = '']) => name))];
  const pods = names.map((name) => ({ name, value: 'of the pod', origin: '', secret: false }));
  const kept = localEnvironment(pods, {}, {}, 'linux').kept;
  if (kept.length < 10) throw new Error('The list in adapter/environment/local.ts is not found.');
  return [...kept].sort();
}
