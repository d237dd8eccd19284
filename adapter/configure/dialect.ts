/** Says a program as an editor writes it: variables, and the terminal. */
import type { Dialect, Program, Settings } from './draft.ts';

const variable = /\$\{[^{}]*\}/g;

/** Whether everything in a configuration can be said. */
export function canSay(settings: Settings, { variables }: Dialect): boolean {
  const used: readonly string[] = JSON.stringify(settings).match(variable) ?? [];
  return variables === 'all' || used.every((name) => Object.hasOwn(variables, name));
}

/** A program as the editor starts it. */
export function sayProgram({ delegate, beside }: Program, dialect: Dialect): Program {
  const said = Object.entries(delegate).map(([key, value]) => [
    key,
    key === 'console' && !dialect.terminal ? 'internalConsole' : say(value, dialect),
  ]);
  const ofDebugger = Object.entries(beside).filter(([key]) => dialect.tasks || key === 'debugAdapter');
  return { delegate: { ...Object.fromEntries(said), type: delegate.type }, beside: Object.fromEntries(ofDebugger) };
}

/** A value with the editor's own words in every text. */
function say(value: unknown, dialect: Dialect): unknown {
  const { variables } = dialect;
  if (variables === 'all') return value;
  if (typeof value === 'string') return value.replace(variable, (name) => variables[name] ?? name);
  if (Array.isArray(value)) return value.map((item) => say(item, dialect));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, say(inner, dialect)]));
}
