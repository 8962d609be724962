import { createHash } from 'node:crypto';
import type { ContainerSpec } from '../../../container';
import type { InstanceSpec } from '../runtime';

const MIB = 1 << 20;
/** The least that a container can be started with. */
const LEAST_CPU = 0.01;
const LEAST_MEMORY = 8;

/** Labels by which people see whose a container is. */
export const LABELS = {
  operator: 'garua.operator',
  owner: 'garua.operator.owner',
  /** Of all that decides how it runs: equal ones need no new container. */
  digest: 'garua.operator.digest',
} as const;

/** The name of the first container of an instance; it keeps the name when it moves to another one. */
export function containerName({ name, instance }: Pick<InstanceSpec, 'name' | 'instance'>): string {
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 24)
    .replace(/^-+|-+$/g, '');
  const key = createHash('sha256').update(instance).digest('hex').slice(0, 8);
  return ['operator', word, key].filter((part) => part !== '').join('-');
}

/** The container that an instance runs as: with its share of a core and its memory, and no network unless asked for. */
export function containerSpecOf(spec: InstanceSpec, container: string): ContainerSpec {
  const { body, cpu, memory, device, operator, owner } = spec;
  const { spec: wanted } = body as Extract<InstanceSpec['body'], { kind: 'container' }>;
  const made: ContainerSpec = {
    ...wanted,
    name: container,
    stdin: true,
    network: wanted.network ?? 'none',
    cpus: Math.max(LEAST_CPU, cpu),
    memory: Math.round(Math.max(LEAST_MEMORY, memory) * MIB),
    restart: wanted.restart ?? { policy: 'always' },
    // Two containers of an operator must not share what they keep.
    mounts: (wanted.mounts ?? []).map((mount) =>
      mount.type === 'volume' ? { ...mount, source: `${container}-${mount.source ?? 'data'}` } : mount,
    ),
    ...(device === undefined ? {} : { devices: [...(wanted.devices ?? []), { source: device }] }),
  };
  const digest = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 32);
  const labels = { [LABELS.operator]: operator, [LABELS.owner]: owner, [LABELS.digest]: digest };
  return { ...made, labels: { ...wanted.labels, ...labels } };
}
