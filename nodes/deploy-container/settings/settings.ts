import type { ContainerSpec, Device, Mount, PublishedPort } from '../../../lib/container';
import type { PullPolicy } from '../../../lib/image';
import { probeOf, restartOf } from './care';
import type { DeployContainerDef, DeviceRow, MountRow, PortRow } from './definition';
import { type Scale, scaleOf } from './scale';
import { isEmpty, listOf, numberOf, oneOf, present, recordOf, sizeOf, textOf } from './values';
import { commandWords } from './words';

/** The dialog's values, checked. */
export interface DeploySettings {
  image: string | undefined;
  imageProperty: string | undefined;
  /** What stays the same for each deploy, except for what a message overrides. */
  spec: Omit<ContainerSpec, 'image'> & { name: string };
  policy: PullPolicy;
  scale: Scale | undefined;
  /** Sites that instances may run at, also where a message says how many. */
  sites: string | undefined;
  start: boolean;
  logs: boolean;
  removeOnDelete: boolean;
}

export const PULL_POLICIES: readonly PullPolicy[] = ['missing', 'always', 'never'];
const NETWORKS = ['host', 'none', 'bridge'] as const;
const MOUNT_TYPES = ['bind', 'volume', 'tmpfs'] as const;

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
    spec: present({ name: textOf(definition.name) ?? fallbackName, ...specOf(definition) }),
    policy: oneOf('pull policy', PULL_POLICIES, definition.pull) ?? 'missing',
    scale: scaleOf(definition.replicas, definition.sites, textOf(definition.service)),
    sites: definition.sites,
    start: definition.start ?? true,
    logs: definition.logs ?? false,
    removeOnDelete: definition.removeOnDelete ?? true,
  };
}

function specOf(definition: DeployContainerDef): Omit<ContainerSpec, 'image' | 'name'> {
  const network = oneOf('network', NETWORKS, definition.network) ?? 'host';
  return {
    command: commandWords(definition.command ?? ''),
    entrypoint: commandWords(definition.entrypoint ?? ''),
    env: recordOf(definition.env),
    workingDirectory: textOf(definition.workingDirectory),
    user: textOf(definition.user),
    groups: listOf(definition.groups),
    network,
    // The dialog keeps them when another network is tried, and shows them with the bridge only.
    ports: network === 'bridge' ? rowsOf(definition.ports, portOf) : undefined,
    hostname: textOf(definition.hostname),
    service: textOf(definition.service),
    servicePort: servicePortOf(definition, network),
    extraHosts: recordOf(definition.extraHosts),
    memory: sizeOf(definition.memory),
    swap: sizeOf(definition.swap),
    cpus: numberOf('the number of cores', definition.cpus),
    pids: numberOf('the number of processes', definition.pids),
    ioWeight: numberOf('the disk weight', definition.ioWeight),
    mounts: rowsOf(definition.mounts, mountOf),
    devices: rowsOf(definition.devices, deviceOf),
    readOnlyRoot: definition.readOnlyRoot === true ? true : undefined,
    capabilities: capabilitiesOf(definition),
    privileged: definition.privileged === true ? true : undefined,
    restart: restartOf(definition),
    liveness: probeOf(definition, 'liveness'),
    readiness: probeOf(definition, 'readiness'),
    labels: recordOf(definition.labels),
  };
}

/** The dialog keeps it when there is nothing that could be reached at it. */
function servicePortOf({ service, servicePort }: DeployContainerDef, network: string): number | undefined {
  if (isEmpty(service) || network === 'none') return undefined;
  return numberOf('the port of the service', servicePort);
}

/** Rows that hold anything; undefined when there are none. */
function rowsOf<Row extends object, Item>(
  rows: Row[] | undefined,
  read: (row: Row) => Item,
): Item[] | undefined {
  const named = ['source', 'target', 'hostPort', 'containerPort'];
  const filled = (rows ?? []).filter((row) =>
    Object.entries(row).some(([field, value]) => named.includes(field) && !isEmpty(value)),
  );
  return filled.length > 0 ? filled.map(read) : undefined;
}

function mountOf({ type, source, target, readOnly, size }: MountRow): Mount {
  const kind = oneOf('kind of mount', MOUNT_TYPES, type) ?? 'bind';
  return present<Mount>({
    type: kind,
    source: kind === 'tmpfs' ? undefined : textOf(source),
    target: textOf(target) ?? '',
    readOnly: readOnly === true,
    size: kind === 'tmpfs' ? sizeOf(size) : undefined,
  });
}

function portOf({ hostPort, containerPort, protocol, hostAddress }: PortRow): PublishedPort {
  return present<PublishedPort>({
    hostPort: numberOf('the host port', hostPort) as number,
    containerPort: numberOf(
      'the container port',
      isEmpty(containerPort) ? hostPort : containerPort,
    ) as number,
    protocol: oneOf('protocol', ['tcp', 'udp'] as const, protocol),
    hostAddress: textOf(hostAddress),
  });
}

function deviceOf({ source, target, permissions }: DeviceRow): Device {
  return present<Device>({
    source: textOf(source) ?? '',
    target: textOf(target),
    permissions: textOf(permissions),
  });
}

function capabilitiesOf({ capabilitiesAdd, capabilitiesDrop }: DeployContainerDef) {
  const [add, drop] = [capabilitiesAdd, capabilitiesDrop].map((names) => listOf(names?.toUpperCase()));
  return add || drop ? present({ add, drop }) : undefined;
}
