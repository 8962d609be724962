import { createHash } from 'node:crypto';
import type { FindCredentials } from './environment';
import { Expansion } from './expansion';
import { type EnvironmentEntry, FlowFile, type FlowNode } from './flow-file';

/** A node that is put at an end of a subflow; it gets its id and, as an entry, its wires. */
export interface PortNode {
  type: string;
  [property: string]: unknown;
}

export interface ExpandOptions {
  /** The whole flow file at home. */
  flow: readonly FlowNode[];
  /** Id of the subflow in it. */
  subflow: string;
  /** What stands for the instance: its environment is that of the place in the flow where it stands. */
  instance: {
    id: string;
    name?: string | undefined;
    z?: string | undefined;
    g?: string | undefined;
    env?: EnvironmentEntry[] | undefined;
  };
  /** Makes the new ids, with the instance's: the same seed gives the same ids, another seed others. */
  seed: string;
  /** What brings messages in, what takes those of each output, what takes those of the status output. */
  ports: {
    entry?: PortNode | undefined;
    exits?: readonly (PortNode | undefined)[] | undefined;
    status?: PortNode | undefined;
  };
  credentials?: FindCredentials | undefined;
  /** Types of config nodes that are not taken along. */
  leave?: readonly string[] | undefined;
}

/** A subflow as plain nodes, ready for a tab of their own. */
export interface ExpandedSubflow {
  /** Nodes and groups, without `z`. */
  nodes: FlowNode[];
  configs: FlowNode[];
  /** The types of nodes that the target must know. */
  types: string[];
  /** For each new id of a node that the subflow holds, the ids that led to it: instances, then the node. */
  origins: Map<string, string>;
}

/**
 * Turns an instance of a subflow into plain nodes that do the same in a tab of any Node-RED: nested subflows
 * are expanded, variables live on as environments of groups, the config nodes that are used come along, catch,
 * status and complete nodes hear what they heard inside the subflow.
 *
 * Not the same: ids of nodes and `NR_GROUP_ID` of instances differ, and links to nodes outside lead nowhere.
 *
 * @throws {SubflowUnknownError} {SubflowUnsupportedError}
 */
export function expandSubflow(options: ExpandOptions): ExpandedSubflow {
  const { seed, instance } = options;
  const newId = (path: string) =>
    createHash('sha256').update(`${seed}\0${instance.id}\0${path}`).digest('hex').slice(0, 16);
  return new Expansion(options, new FlowFile(options.flow), newId).run();
}
