/** No files: the configuration is shown, and the user puts it where it belongs. */
import type { Dialect, Draft, EditorFiles, ExistingConfiguration, Outcome } from '../draft.ts';
import { launchConfiguration } from '../launch-configuration.ts';

export class NoFiles implements EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own = [];
  readonly dialect: Dialect;

  constructor(dialect: Dialect, existing: readonly ExistingConfiguration[]) {
    this.dialect = dialect;
    this.existing = existing;
  }

  async write(draft: Draft): Promise<Outcome> {
    const configuration = launchConfiguration(draft);
    const advice = 'The debug adapter is the command: kubernetes-local dap. This is what its "launch" request takes.';
    return { configuration, written: [], advice: [advice] };
  }
}
