/** What a command or an error is about: the target, and in which place. It travels in the links of error messages. */
import { z } from 'zod';

const aboutSchema = z.object({
  target: z.string().optional(),
  namespace: z.string().optional(),
  context: z.string().optional(),
  kubeconfig: z.string().optional(),
});
export type About = z.infer<typeof aboutSchema>;

const remedyArgumentSchema = aboutSchema.extend({
  command: z.enum(['restore', 'status', 'diagnose', 'doctor', 'docs', 'configure', 'retry']),
  label: z.string().optional(),
  page: z.string().optional(),
});
export type RemedyArgument = z.infer<typeof remedyArgumentSchema>;

/** The argument of `kubernetes-local.remedy`; undefined if it is none, for anybody may call a command. */
export function remedyArgument(value: unknown): RemedyArgument | undefined {
  return remedyArgumentSchema.safeParse(value).data;
}

const configureArgumentSchema = aboutSchema.extend({
  /** The path of the workspace folder; otherwise it is found out. */
  folder: z.string().optional(),
  /** It is started when it is written: nothing is offered then. */
  isStarting: z.boolean().optional(),
});
export type ConfigureArgument = z.infer<typeof configureArgumentSchema>;

/** The argument of `kubernetes-local.configure`; nothing if it is something else. */
export function configureArgument(value: unknown): ConfigureArgument {
  return configureArgumentSchema.safeParse(value).data ?? {};
}

/** What a caller said of the target; nothing if it said something else, such as a node of the tree. */
export function aboutOf(value: unknown): About {
  return aboutSchema.safeParse(value).data ?? {};
}

/** The options of our command line that say it. */
export function placeOptions({ target, namespace, context, kubeconfig }: About): readonly string[] {
  return [
    ...(target === undefined ? [] : ['--target', target]),
    ...(namespace === undefined ? [] : ['--namespace', namespace]),
    ...(context === undefined ? [] : ['--context', context]),
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
  ];
}
