import type { FlowNode, OperatorOutput, PlacedOperator } from '../../../lib/placement';

/** An operator of these nodes in a row, between its ports; ids are made from its own. */
export function operatorOf(
  id: string,
  row: { type: string; [property: string]: unknown }[],
  output: OperatorOutput,
  more: Partial<PlacedOperator> = {},
): PlacedOperator {
  const all = [{ type: 'fog-port-in' }, ...row, { type: 'fog-port-out', output: 0 }];
  const nodes = all.map((node, at): FlowNode => {
    const next = at + 1 < all.length ? [[`${id}-${at + 1}`]] : [];
    return { ...node, id: `${id}-${at}`, wires: next };
  });
  return {
    ...{ id, name: id, cpu: 0.5, memory: 16, keyed: false, instances: { least: 1, most: 1 } },
    body: { kind: 'subflow', nodes, configs: [], types: [...new Set(all.map(({ type }) => type))] },
    outputs: [output],
    ...more,
  };
}

/** A window over so many messages, every so many; the first and the last of them by number, and when the last came. */
export function countWindow(count: number, step: number) {
  const aggregates = [
    { op: 'count' },
    { op: 'last', field: 'n', as: 'last' },
    { op: 'first', field: 'n', as: 'first' },
    { op: 'last', field: 'at', as: 'at' },
  ];
  return { type: 'window', windowType: 'count', count, step, aggregates };
}

export const codeNode = (func: string) => ({ type: 'function', func, outputs: 1, libs: [] });
