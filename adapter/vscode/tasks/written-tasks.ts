/** What tasks.json says of tasks: which ones run before another, and which of them are ours. */
import { z } from 'zod';
import { taskType } from '../identifiers.ts';

const taskSchema = z.looseObject({
  label: z.string().optional(),
  taskName: z.string().optional(),
  type: z.string().optional(),
  action: z.string().optional(),
  dependsOn: z.unknown().optional(),
});
export type WrittenTask = z.infer<typeof taskSchema>;

/** A list of tasks as a file has it. One that is not understood is not ours. */
export function parseTasks(list: unknown): readonly WrittenTask[] {
  return z.array(taskSchema.catch({})).safeParse(list).data ?? [];
}

/**
 * The names of our tasks that connect before a session with this `preLaunchTask`, whose own dependencies count too. A task
 * that is not written down but offered by this extension is referred to with our type before its name.
 */
export function namesBefore(preLaunchTask: unknown, tasks: readonly WrittenTask[]): readonly string[] {
  const offered = `${taskType}: `;
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (reference: unknown): void => {
    if (Array.isArray(reference)) {
      for (const each of reference) visit(each);
      return;
    }
    const name = nameOf(reference);
    if (name === undefined || seen.has(name)) return;
    seen.add(name);
    const task = tasks.find((each) => nameOf(each) === name);
    // What others depend on runs first.
    visit(task?.dependsOn);
    if (task === undefined && name.startsWith(offered)) found.push(name.slice(offered.length));
    if (task?.type === taskType && task.action !== 'disconnect') found.push(name);
  };
  visit(preLaunchTask);
  return found;
}

function nameOf(reference: unknown): string | undefined {
  if (typeof reference === 'string') return reference;
  const task = taskSchema.safeParse(reference).data;
  return task?.label ?? task?.taskName;
}
