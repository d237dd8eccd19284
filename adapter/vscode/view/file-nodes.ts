/** The files of a mount in the tree: each folder is read when it is opened. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { note, sorted, type TreeNode } from './tree-node.ts';

/** What is at a path that a mount leads to: the file itself, or the entries of the folder. */
export async function entriesOf(id: string, path: string): Promise<readonly TreeNode[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [fileNode(`${id}/.`, path, path)];
    const names = await readdir(path);
    // The kubelet's own links, by which it exchanges all files of a volume at once; so does the session.
    const shown = names.filter((name) => !name.startsWith('..'));
    const nodes = await Promise.all(shown.map((name) => entryNode(`${id}/${name}`, name, join(path, name))));
    return nodes.length === 0 ? [note(`${id}/..`, 'No files.')] : sorted(nodes);
  } catch (error) {
    return [note(`${id}/..`, `It cannot be read: ${error instanceof Error ? error.message : String(error)}`)];
  }
}

async function entryNode(id: string, name: string, path: string): Promise<TreeNode> {
  const isFolder = await stat(path).then(
    (entry) => entry.isDirectory(),
    // A link that leads nowhere is shown as what it is called; opening it tells the reason.
    () => false,
  );
  if (!isFolder) return fileNode(id, name, path);
  return {
    id,
    kind: 'folder',
    label: name,
    icon: 'folder',
    spoken: `Folder ${name}`,
    tooltip: path,
    copy: path,
    children: () => entriesOf(id, path),
  };
}

function fileNode(id: string, label: string, path: string): TreeNode {
  return { id, kind: 'file', label, icon: 'file', spoken: `File ${label}`, tooltip: path, copy: path, opens: path };
}
