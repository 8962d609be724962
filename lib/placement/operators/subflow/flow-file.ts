/** A node, a tab, a group or a definition of a subflow, as it stands in a flow file. */
export interface FlowNode {
  id: string;
  type: string;
  /** The tab or subflow that it belongs to. */
  z?: string | undefined;
  /** The group that it is in. */
  g?: string | undefined;
  /** Whether it is disabled. */
  d?: boolean | undefined;
  name?: string | undefined;
  wires?: string[][] | undefined;
  env?: EnvironmentEntry[] | undefined;
  credentials?: Record<string, unknown> | undefined;
  [property: string]: unknown;
}

/** One environment variable of a tab, a group, a subflow, or an instance of one. */
export interface EnvironmentEntry {
  name: string;
  type: string;
  value?: unknown;
  [property: string]: unknown;
}

/** Where a port of a subflow is joined to a node inside. */
export interface PortWire {
  id: string;
  port?: number | undefined;
}

interface Port {
  wires: PortWire[];
}

/** A definition of a subflow. */
export interface SubflowDefinition extends FlowNode {
  in?: Port[] | undefined;
  out?: Port[] | undefined;
  status?: Port | undefined;
}

/** The id of the subflow that a node is an instance of. */
export function subflowOf({ type }: FlowNode): string | undefined {
  return type.startsWith('subflow:') ? type.slice('subflow:'.length) : undefined;
}

/** Config nodes have no place in the editor. */
export function isConfig(node: FlowNode): boolean {
  return !('x' in node && 'y' in node) && !['tab', 'subflow', 'group'].includes(node.type);
}

/** A flow file, by id and by container. */
export class FlowFile {
  readonly #byId = new Map<string, FlowNode>();
  readonly #byContainer = new Map<string, FlowNode[]>();

  constructor(readonly nodes: readonly FlowNode[]) {
    for (const node of nodes) {
      this.#byId.set(node.id, node);
      if (node.z === undefined) continue;
      const siblings = this.#byContainer.get(node.z);
      if (siblings) siblings.push(node);
      else this.#byContainer.set(node.z, [node]);
    }
  }

  get(id: string | undefined): FlowNode | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  subflow(id: string): SubflowDefinition | undefined {
    const node = this.#byId.get(id);
    return node?.type === 'subflow' ? node : undefined;
  }

  /** The nodes, config nodes and groups of a tab or a subflow. */
  membersOf(container: string): readonly FlowNode[] {
    return this.#byContainer.get(container) ?? [];
  }
}
