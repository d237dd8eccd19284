/** What a developer of the shop has: a folder with a program of it, and a kubeconfig that leads into its namespace. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

/** A folder named after a program of the shop, with a copy of it, and files of its own, by their names in `.vscode`. */
export function copyOf(app: 'cart' | 'web', into: string, files: Readonly<Record<string, object>>): string {
  const folder = join(into, app);
  cpSync(join(import.meta.dirname, '..', '..', 'apps', 'shop', app), folder, { recursive: true });
  if (Object.keys(files).length > 0) mkdirSync(join(folder, '.vscode'), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, '.vscode', name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
  return folder;
}

const kubeconfigShape = z.looseObject({
  contexts: z.array(z.looseObject({ context: z.looseObject({}) })),
});

/** A kubeconfig whose contexts lead into one namespace, as a developer has it. */
export function withNamespace(kubeconfig: string, namespace: string): string {
  const config = kubeconfigShape.parse(parse(kubeconfig));
  for (const { context } of config.contexts) context.namespace = namespace;
  return stringify(config);
}
