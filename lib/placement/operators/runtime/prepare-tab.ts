import { createHash } from 'node:crypto';
import type { OperatorTab } from '../node-red';
import type { PortInSettings, PortOutSettings } from '../ports';
import type { FlowNode } from '../subflow';
import type { InstanceSpec } from './runtime';

/**
 * The tab of an instance: all ids are made new, because a Node-RED takes none twice, and the ports learn whom they
 * belong to.
 *
 * @param host peer ID of the host that adds it
 */
export function prepareTab(spec: InstanceSpec, host: string, dataDirectory: string): OperatorTab {
  const { instance, owner, operator, number, name, body, key, cpu, targets } = spec;
  const { nodes, configs } = body as Extract<InstanceSpec['body'], { kind: 'subflow' }>;
  const ids = new Map([...nodes, ...configs].map(({ id }) => [id, newId(instance, id)]));
  const origins = Object.fromEntries([...ids].map(([old, made]) => [made, old]));
  const copy = (node: FlowNode): FlowNode => ({
    ...(renamed(node, ids) as FlowNode),
    ...portSettings(node, { instance, dataDirectory, origins, key, cpu }, targets),
  });
  return {
    label: name,
    mark: { owner, operator, instance: `${number}`, host },
    nodes: nodes.map(copy),
    configs: configs.map(copy),
  };
}

function portSettings({ type, output }: FlowNode, port: PortInSettings, targets: InstanceSpec['targets']) {
  if (type === 'fog-port-in') return port;
  if (type !== 'fog-port-out') return {};
  const { instance, dataDirectory } = port;
  const settings: PortOutSettings = {
    ...{ instance, dataDirectory },
    output: Number(output),
    targets: targets[Number(output)] ?? [],
  };
  return settings;
}

/** As the editor makes them, and the same each time. */
function newId(instance: string, id: string): string {
  return createHash('sha256').update(`${instance}\0${id}`).digest('hex').slice(0, 16);
}

/** The expansion has made all ids unlike any other text: what equals one is a reference to it. */
function renamed(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return ids.get(value) ?? value;
  if (Array.isArray(value)) return value.map((each) => renamed(each, ids));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each, ids)]));
}
