import type { EnvironmentEntry, FlowFile, FlowNode } from './flow-file';

/** Finds the credentials of a node, a group, a subflow or an instance by its id in the flow file. */
export type FindCredentials = (id: string) => Record<string, unknown> | undefined;

/** A group that holds variables, for nodes in it: in Node-RED its environment works as that of a subflow. */
export interface EnvironmentGroup {
  name?: string | undefined;
  env: EnvironmentEntry[];
  credentials?: Record<string, unknown> | undefined;
}

/** What is around an instance at its home, outermost first: global variables, those of the tab, of groups. */
export function surroundings(
  file: FlowFile,
  { z, g }: Pick<FlowNode, 'z' | 'g'>,
  credentials: FindCredentials,
): { global: EnvironmentGroup; tab: EnvironmentGroup; groups: EnvironmentGroup[] } {
  const global = file.nodes.find(({ type }) => type === 'global-config');
  const tab = file.get(z);
  const groups: EnvironmentGroup[] = [];
  for (let group = file.get(g); group; group = file.get(group.g)) {
    groups.unshift(holder(group.env, credentials(group.id), group.name));
  }
  const globalCredentials = global && (credentials(global.id)?.map as Record<string, unknown> | undefined);
  return {
    global: holder(global?.env, globalCredentials),
    tab: holder(
      [...(tab?.env ?? []), text('NR_FLOW_NAME', tab?.label ?? tab?.name), text('NR_FLOW_ID', tab?.id)],
      tab && credentials(tab.id),
    ),
    groups,
  };
}

/**
 * The variables of an instance: those of the definition, overridden by its own.
 * @param path ids from the outermost instance to this one, joined by `/`; `home` the tab around them.
 */
export function instanceEnvironment(
  definition: FlowNode,
  instance: FlowNode,
  { path, home }: { path: string; home: string | undefined },
  credentials: FindCredentials,
): EnvironmentGroup {
  const merged = new Map<string, EnvironmentEntry>();
  for (const entry of [...(definition.env ?? []), ...(instance.env ?? [])]) merged.set(entry.name, entry);
  const env = [...merged.values()].filter(({ name }) => !RESERVED.has(name));
  return holder(
    [
      ...env,
      text('NR_SUBFLOW_NAME', instance.name),
      text('NR_SUBFLOW_ID', path.replaceAll('/', '-')),
      text('NR_SUBFLOW_PATH', home === undefined ? path : `${home}/${path}`),
    ],
    { ...credentials(definition.id), ...credentials(instance.id) },
  );
}

const RESERVED = new Set(['NR_SUBFLOW_NAME', 'NR_SUBFLOW_ID', 'NR_SUBFLOW_PATH']);

/** Secrets go the way of credentials, so that Node-RED encrypts them. */
function holder(
  env: EnvironmentEntry[] = [],
  credentials: Record<string, unknown> = {},
  name?: string,
): EnvironmentGroup {
  const secrets = env.flatMap(({ name, type }) =>
    type === 'cred' && credentials[name] !== undefined ? [[name, credentials[name]] as const] : [],
  );
  return {
    name,
    env: env.map((entry) => (entry.type === 'cred' ? { name: entry.name, type: 'cred' } : { ...entry })),
    ...(secrets.length > 0 ? { credentials: Object.fromEntries(secrets) } : {}),
  };
}

function text(name: string, value: unknown): EnvironmentEntry {
  return { name, type: 'str', value: value ?? '' };
}
