import { parseArgs } from 'node:util';
import { Problem } from '../../adapter/problem.ts';

export interface DemoOptions {
  /** A context of the user's kubeconfig; without it the embedded cluster is used. */
  readonly context: string | undefined;
  readonly namespace: string;
  /** Where the user's cluster finds the images of shop and agent. */
  readonly imagePrefix: string | undefined;
  readonly keep: boolean;
  /** A file for the picture of what the demo showed. */
  readonly picture: string | undefined;
}

/** The options of the demo. Problem bad-arguments. */
export function parseArguments(argv: readonly string[]): DemoOptions {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        context: { type: 'string' },
        namespace: { type: 'string', default: 'kubernetes-local-demo' },
        'image-prefix': { type: 'string' },
        keep: { type: 'boolean', default: false },
        picture: { type: 'string' },
      },
    });
    return {
      context: values.context,
      namespace: values.namespace,
      imagePrefix: values['image-prefix'],
      keep: values.keep,
      picture: values.picture,
    };
  } catch (error) {
    throw new Problem(
      {
        code: 'bad-arguments',
        what: 'The demo does not know these arguments.',
        why: error instanceof Error ? error.message : String(error),
        remedy:
          'Use: npm run demo -- [--keep] [--picture FILE.svg] [--context NAME --image-prefix REGISTRY/ [--namespace NAME]]',
      },
      { cause: error },
    );
  }
}
