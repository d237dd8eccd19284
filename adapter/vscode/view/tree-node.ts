/** What the tree of the sessions is made of: plain data, which the view turns into items of VS Code. */

/** What a node is; the menus of the view go by it. */
export type NodeKind =
  | 'sessionHeld'
  | 'sessionForeign'
  | 'sessionInterrupted'
  | 'sessionBusy'
  | 'group'
  | 'name'
  | 'port'
  | 'variable'
  | 'secretHidden'
  | 'secretShown'
  | 'mount'
  | 'folder'
  | 'file'
  | 'pod'
  | 'note';

/** Which session a node stands for. */
export interface NodeSession {
  readonly key: string;
  readonly target: string;
  readonly place: string;
}

export interface TreeNode {
  /** The same for the same thing after each change, so that what is open stays open. */
  readonly id: string;
  readonly kind: NodeKind;
  readonly label: string;
  /** Beside the label. */
  readonly description?: string;
  readonly tooltip?: string;
  /** Name of a codicon. */
  readonly icon: string;
  /** What a screen reader says. */
  readonly spoken: string;
  readonly session?: NodeSession;
  /** What Copy copies. */
  readonly copy?: string;
  /** A file that opens by a click or Enter. */
  readonly opens?: string;
  /** Undefined: it has nothing beneath it. */
  readonly children?: () => readonly TreeNode[] | Promise<readonly TreeNode[]>;
  readonly isOpen?: boolean;
}

const collator = new Intl.Collator('en', { numeric: true });

/** Sorted by label, numbers by their value. */
export function sorted(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.toSorted((a, b) => collator.compare(a.label, b.label));
}

/** A line that only tells something. */
export function note(id: string, label: string): TreeNode {
  return { id, kind: 'note', label, icon: 'info', spoken: label };
}
