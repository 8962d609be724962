import type { FlowNode } from './flow-file';

/** The ids that the editor makes; deep inside a node nothing else is taken for a reference. */
const GENERATED = /^[0-9a-f]{6,16}(\.[0-9a-f]{4,6})?$/;

/** Properties that are no references, or are replaced by who copies. */
const KEPT = new Set(['id', 'type', 'z', 'g', 'wires', 'scope', 'links', 'nodes', 'credentials', 'name']);
const DROPPED = new Set(['z', '_users', '_order']);

/**
 * A copy of a node whose references to other nodes are replaced. As in Node-RED, a property whose value is the
 * id of a node is a reference to it.
 * @param replace gives the new id for an old one, undefined for what is no such id.
 */
export function copyOf(node: FlowNode, replace: (id: string) => string | undefined): FlowNode {
  const copy: FlowNode = { id: node.id, type: node.type };
  for (const [key, value] of Object.entries(node)) {
    if (DROPPED.has(key)) continue;
    copy[key] = KEPT.has(key) ? structuredClone(value) : replaced(value, replace, true);
  }
  return copy;
}

function replaced(value: unknown, replace: (id: string) => string | undefined, isProperty: boolean): unknown {
  if (typeof value === 'string') {
    return isProperty || GENERATED.test(value) ? (replace(value) ?? value) : value;
  }
  if (Array.isArray(value)) return value.map((each) => replaced(each, replace, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, replaced(each, replace, false)]),
  );
}
