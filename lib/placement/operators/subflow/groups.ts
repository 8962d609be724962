import type { EnvironmentGroup } from './environment';
import type { FlowNode } from './flow-file';

/** The groups that hold variables in an expansion. */
export class VariableGroups {
  readonly nodes: FlowNode[] = [];

  constructor(private readonly newId: (path: string) => string) {}

  /** Adds a group inside another, and returns its id. */
  add(path: string, { name, env, credentials }: EnvironmentGroup, around?: string): string {
    const id = this.newId(path);
    this.nodes.push({
      id,
      type: 'group',
      ...(name === undefined ? {} : { name }),
      ...(around === undefined ? {} : { g: around }),
      ...(credentials ? { credentials } : {}),
      env,
      style: { label: name !== undefined },
      x: 0,
      y: 0,
      w: 0,
      h: 0,
    });
    return id;
  }

  nameOf(id: string): string | undefined {
    return this.nodes.find((group) => group.id === id)?.name;
  }
}

/** Tells all groups among the nodes who is in them; the editor wants to know. */
export function fillGroups(nodes: readonly FlowNode[]): void {
  const inside = new Map<string, string[]>();
  for (const group of nodes) {
    if (group.type !== 'group') continue;
    const ids: string[] = [];
    group.nodes = ids;
    inside.set(group.id, ids);
  }
  for (const { id, g } of nodes) if (g !== undefined) inside.get(g)?.push(id);
}
