/** Which files belong to which editor. */
import { Problem } from '../../problem.ts';
import { canSay } from '../dialect.ts';
import type { Dialect, EditorFiles } from '../draft.ts';
import type { Editor } from '../editor.ts';
import { intellij, openSublimeFiles, openZedFiles, visualStudio } from './json-editors.ts';
import { KateFiles } from './kate.ts';
import { OwnJsonFiles, type OwnJsonShape } from './own-json.ts';
import { OwnTextFiles, type OwnTextShape } from './own-text.ts';
import { NoFiles } from './plain.ts';
import { eclipse, emacsDape, emacsDapMode, helix, neovim } from './text-editors.ts';
import { launchConfigurationsIn, openVscodeFiles } from './vscode.ts';

/**
 * Reads the editor's files in the folder. Problem bad-value if one of them cannot be read or edited; bad-arguments for a hook
 * that the editor does not have.
 * @param command starts this program, for editors that do not look for one.
 */
export function openEditorFiles(
  editor: Editor,
  folder: string,
  hook: 'adapter' | 'task',
  command: readonly string[],
): EditorFiles {
  if (editor === 'vscode') return openVscodeFiles(folder, hook);
  if (hook === 'task') throw noTasks();
  // What starts the program in VS Code starts it here too, as far as it can be said.
  const ofVscode = (dialect: Dialect) =>
    launchConfigurationsIn(folder).filter(({ settings }) => canSay(settings, dialect));
  const inText = (shape: OwnTextShape) => new OwnTextFiles(shape, ofVscode(shape.dialect));
  const inJson = (shape: OwnJsonShape) => new OwnJsonFiles(shape, ofVscode(shape.dialect));
  switch (editor) {
    case 'zed':
      return openZedFiles(folder, ofVscode);
    case 'sublime':
      return openSublimeFiles(folder, ofVscode);
    case 'neovim':
      return inText(neovim(folder));
    case 'emacs':
      return inText(emacsDapMode(folder));
    case 'dape':
      return inText(emacsDape(folder));
    case 'helix':
      return inText(helix(folder));
    case 'eclipse':
      return inText(eclipse(folder));
    case 'intellij':
      return inJson(intellij(folder));
    case 'visual-studio':
      return inJson(visualStudio(folder, command));
    case 'kate':
      return new KateFiles(folder, ofVscode);
    case 'plain': {
      const dialect = { variables: { '${workspaceFolder}': folder }, terminal: true, tasks: false };
      return new NoFiles(dialect, ofVscode(dialect));
    }
  }
}

function noTasks(): Problem {
  return new Problem({
    code: 'bad-arguments',
    what: 'Only VS Code has the hook "task".',
    why: 'Its tasks are run before a debug session by the extension.',
    remedy: 'Leave --hook out.',
  });
}
