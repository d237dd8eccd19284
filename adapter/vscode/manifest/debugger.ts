/** `contributes.debuggers` and `contributes.breakpoints`: our launch type, with the keys of launch.schema.json. */
import schema from '../../launch/launch.schema.json' with { type: 'json' };
import { category, debugType } from '../identifiers.ts';
import { configurationSnippets, initialConfigurations } from './snippets.ts';

/** For these VS Code brings a debugger: without a launch.json, F5 has to stay what it was. */
const ofTheEditorItself = ['javascript', 'typescript', 'javascriptreact', 'typescriptreact'] as const;

/** The other languages of the debuggers that we know, by VS Code's names: without a launch.json, F5 offers us in them. */
const languages = ['python', 'go', 'c', 'cpp', 'rust', 'swift', 'ruby', 'csharp', 'fsharp', 'java'] as const;

/** Breakpoints can be set in all of them. */
export const breakpointLanguages = [...ofTheEditorItself, ...languages];

/** These VS Code adds to the attributes of every debugger itself. */
const addedByEditor: ReadonlySet<string> = new Set(['type', 'request', 'name']);

/** The keys of our own, with their descriptions. */
export function ownProperties(): Readonly<Record<string, object>> {
  return Object.fromEntries(
    Object.entries<object>(schema.properties).filter(
      ([key, property]) => !addedByEditor.has(key) && !('doNotSuggest' in property),
    ),
  );
}

/** `attach` means the same as `launch`: whether the program is started is said by the delegate. */
function attributes() {
  const required = [...schema.required, 'delegate'];
  const properties = ownProperties();
  return { launch: { required, properties }, attach: { required, properties } };
}

export function debuggerContribution() {
  return {
    type: debugType,
    label: category,
    languages,
    configurationAttributes: attributes(),
    initialConfigurations,
    configurationSnippets,
  };
}
