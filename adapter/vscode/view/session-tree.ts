/** The tree of the sessions as VS Code shows it. */
import * as vscode from 'vscode';
import type { Connection } from '../../session/protocol.ts';
import { sessionNodes, type TreeSource } from './session-nodes.ts';
import type { TreeNode } from './tree-node.ts';
import type { WindowSessions } from './window-sessions.ts';

export class SessionTree implements vscode.TreeDataProvider<TreeNode>, TreeSource, vscode.Disposable {
  readonly #sessions: WindowSessions;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #revealed = new Set<string>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(sessions: WindowSessions) {
    this.#sessions = sessions;
  }

  /** Shows the sessions as they are now. A secret of a session that is gone is hidden again. */
  update(): void {
    const known = [...this.#sessions.held, ...this.#sessions.foreign].map(({ key }) => key);
    for (const id of this.#revealed) {
      if (!known.some((key) => id.startsWith(`${key}/`))) this.#revealed.delete(id);
    }
    this.#changed.fire(undefined);
  }

  /** Shows a secret's value, or hides it again. */
  toggleSecret({ id }: TreeNode): void {
    if (!this.#revealed.delete(id)) this.#revealed.add(id);
    this.#changed.fire(undefined);
  }

  isRevealed(id: string): boolean {
    return this.#revealed.has(id);
  }

  standing(key: string): Promise<Connection | undefined> {
    return this.#sessions.standing(key);
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    const nodes = node === undefined ? sessionNodes(this.#sessions, this) : await node.children?.();
    return [...(nodes ?? [])];
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const { id, kind, label, description, tooltip, icon, spoken, opens, children, isOpen = false } = node;
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(label, children === undefined ? None : isOpen ? Expanded : Collapsed);
    item.id = id;
    item.contextValue = kind;
    item.iconPath = new vscode.ThemeIcon(icon);
    item.accessibilityInformation = { label: spoken };
    if (description !== undefined) item.description = description;
    if (tooltip !== undefined) item.tooltip = tooltip;
    if (opens !== undefined) {
      item.command = { command: 'vscode.open', title: 'Open', arguments: [vscode.Uri.file(opens)] };
    }
    return item;
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
