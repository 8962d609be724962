import type { NodeDef } from 'node-red';
import { InvalidArgumentError, parseSize } from '../../lib/base';
import type { ContainerSpec, Mount } from '../../lib/container';
import type { PullPolicy } from '../../lib/image';
import { commandWords } from './words';

/** What the dialog stores. Everything but the image may be absent. */
export interface DeployContainerDef extends NodeDef {
  /** Id of a fog-host; empty for the default host. */
  host?: string;
  image?: string;
  /** `str`: `image` is the reference; `msg`: it is the message property that holds it. */
  imageType?: 'str' | 'msg';
  command?: string;
  env?: { key: string; value: string }[];
  mounts?: Mount[];
  memory?: string;
  network?: string;
  pull?: string;
  /** Deploy when the flow starts. Default true. */
  start?: boolean;
  /** Send log lines to the second output. Default false. */
  logs?: boolean;
  /** Remove the containers when the node is deleted. Default true. */
  removeOnDelete?: boolean;
}

/** The dialog's values, checked. */
export interface DeploySettings {
  image: string | undefined;
  imageProperty: string | undefined;
  /** What stays the same for each deploy, except for what a message overrides. */
  spec: Omit<ContainerSpec, 'image'> & { name: string };
  policy: PullPolicy;
  start: boolean;
  logs: boolean;
  removeOnDelete: boolean;
}

export const PULL_POLICIES: readonly PullPolicy[] = ['missing', 'always', 'never'];
const NETWORKS = ['host', 'none', 'bridge'] as const;

/**
 * Checks the dialog's values; `fallbackName` names the container when the node has no name.
 *
 * @throws {InvalidArgumentError}
 */
export function readSettings(definition: DeployContainerDef, fallbackName: string): DeploySettings {
  const image = definition.image?.trim() ?? '';
  const fromMessage = definition.imageType === 'msg';
  return {
    image: fromMessage || image === '' ? undefined : image,
    imageProperty: fromMessage ? image || 'image' : undefined,
    spec: {
      name: definition.name?.trim() || fallbackName,
      command: commandWords(definition.command ?? ''),
      env: environment(definition.env ?? []),
      mounts: mounts(definition.mounts ?? []),
      memory: memorySize(definition.memory),
      network: oneOf('network', NETWORKS, definition.network) ?? 'host',
    },
    policy: oneOf('pull policy', PULL_POLICIES, definition.pull) ?? 'missing',
    start: definition.start ?? true,
    logs: definition.logs ?? false,
    removeOnDelete: definition.removeOnDelete ?? true,
  };
}

/** @throws {InvalidArgumentError} */
export function oneOf<T extends string>(what: string, values: readonly T[], value: unknown): T | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const found = values.find((candidate) => candidate === value);
  if (!found)
    throw new InvalidArgumentError(`"${value}" is not a ${what}`, `Use one of ${values.join(', ')}.`);
  return found;
}

/** Bytes, or undefined for no limit. @throws {InvalidArgumentError} */
export function memorySize(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return parseSize(value as string | number);
}

function environment(rows: { key: string; value: string }[]): Record<string, string> {
  const named = rows.filter(({ key }) => key.trim() !== '');
  return Object.fromEntries(named.map(({ key, value }) => [key.trim(), String(value ?? '')]));
}

function mounts(rows: Mount[]): Mount[] {
  return rows
    .filter(({ source, target }) => source || target)
    .map(({ source, target, readOnly }) => ({ source, target, readOnly: readOnly === true }));
}
