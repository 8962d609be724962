import type { FlowNode, SubflowDefinition } from './flow-file';

/** A node inside a subflow, and what it becomes. */
export interface Member {
  original: FlowNode;
  /** The new node; of an instance of a nested subflow: the junction that takes its place. */
  node: FlowNode;
}

/** One instance of a subflow: the outermost, or one nested in it. */
export interface Scope {
  definition: SubflowDefinition;
  /** The instance, wired to what its outputs reach. */
  instance: FlowNode;
  parent: Scope | undefined;
  /** Ids of instances from the outermost to this one, joined by `/`. */
  path: string;
  /** Id of the group that holds this instance's environment. */
  group: string;
  /** By the ids of the definition, in its order; without what is disabled. */
  members: Map<string, Member>;
  /** The scope's own status output goes there. */
  statusSink: string | undefined;
}

/** All scopes of one expansion, outermost first. */
export type Scopes = readonly Scope[];
