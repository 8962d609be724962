import type { IncludedConfig } from './configs';
import type { FlowNode } from './flow-file';
import { Handlers, reports } from './handlers';
import type { Member, Scope, Scopes } from './scope';

/** A member of a scope that refers to a config node from outside. */
export interface ConfigUser {
  scope: Scope;
  member: Member;
}

interface RoutingInput {
  scopes: Scopes;
  configs: readonly IncludedConfig[];
  /** By the old ids of config nodes. */
  users: ReadonlyMap<string, readonly ConfigUser[]>;
  newId: (path: string) => string;
}

/**
 * Gives catch and status nodes the list of what they hear: in one tab, "all" would be too much.
 * @returns nodes that this needs in addition.
 */
export function routeHandlers({ scopes, configs, users, newId }: RoutingInput): FlowNode[] {
  const handlers = new Handlers(scopes);
  for (const scope of scopes) {
    for (const member of scope.members.values()) {
      if (reports(member)) handlers.route(member.node.id, scope, member);
    }
    const { parent, instance, statusSink } = scope;
    if (parent && statusSink) handlers.route(statusSink, parent, parent.members.get(instance.id)!);
  }
  for (const { original, node } of configs) {
    for (const { scope, member } of users.get(original.id) ?? []) handlers.route(node.id, scope, member);
  }
  const junctions: FlowNode[] = [];
  for (const { members } of scopes) {
    for (const { original, node } of members.values()) {
      if (original.type !== 'catch' && original.type !== 'status') continue;
      const sources = [...handlers.sourcesOf(node.id)];
      // A status node with a list skips what it is wired to; one that hears all does not.
      const skips = original.type === 'status' && !Array.isArray(original.scope);
      if (skips && node.wires?.flat().some((id) => sources.includes(id))) {
        junctions.push(hideWires(node, newId(`${node.id}:wires`)));
      }
      node.scope = sources;
      if (original.type === 'catch') node.uncaught = false;
    }
  }
  return junctions;
}

function hideWires(node: FlowNode, id: string): FlowNode {
  const junction = { id, type: 'junction', x: node.x, y: node.y, g: node.g, wires: [node.wires!.flat()] };
  node.wires = [[id]];
  return junction;
}
