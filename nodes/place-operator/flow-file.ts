import type { NodeAPI } from 'node-red';
import type { FlowNode } from '../../lib/placement';

const TYPE = 'place-operator';

/** The flows of this Node-RED as they were deployed. */
export class DeployedFlows {
  readonly nodes: FlowNode[] = [];
  readonly #operators = new Set<string>();
  readonly #getCredentials: (id: string) => Record<string, unknown> | undefined;

  constructor(RED: NodeAPI) {
    RED.nodes.eachNode((node) => {
      this.nodes.push(node as unknown as FlowNode);
      if ((node as { type: string }).type === TYPE) this.#operators.add(node.id);
    });
    this.#getCredentials = (id) => RED.nodes.getCredentials(id) as Record<string, unknown> | undefined;
  }

  node(id: string): FlowNode | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  isOperator(id: string): boolean {
    return this.#operators.has(id);
  }

  credentials(id: string): Record<string, unknown> | undefined {
    return this.#getCredentials(id);
  }
}
