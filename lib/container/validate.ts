import { isIPv4 } from 'node:net';
import { posix } from 'node:path';
import type { ContainerSpec, Mount, PublishedPort } from './container';
import { ContainerNameInvalidError, invalidField } from './errors';

/** Below this, runc's own start does not fit into the limit. */
const MINIMUM_MEMORY = 6 * 2 ** 20;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const HOSTNAME =
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const USER = /^[^:\s\0/]+(:[^:\s\0/]+)?$/;
const NETWORKS = ['host', 'none', 'bridge'];

/** A spec without gaps: what was left out has its default. */
export interface CompleteSpec
  extends Required<Omit<ContainerSpec, OptionalField>>,
    Pick<ContainerSpec, OptionalField> {
  mounts: Required<Mount>[];
  ports: Required<PublishedPort>[];
}
type OptionalField = 'entrypoint' | 'command' | 'workingDirectory' | 'user' | 'hostname' | 'memory';

const CHECKS: Record<keyof ContainerSpec, (value: unknown, field: string) => void> = {
  image: text,
  name: checkName,
  entrypoint: textList,
  command: textList,
  env: checkEnvironment,
  workingDirectory: absolutePath,
  user: matching(USER, 'is neither "user" nor "user:group"'),
  hostname: checkHostname,
  mounts: checkMounts,
  network: checkNetwork,
  ports: checkPorts,
  memory: checkMemory,
  labels: textRecord,
};

/**
 * Checks a spec, which may come from JSON of unknown origin, and fills in the defaults.
 *
 * @throws {InvalidArgumentError} {ContainerNameInvalidError}, each naming the field
 */
export function completeSpec(spec: ContainerSpec): CompleteSpec {
  if (typeof spec !== 'object' || spec === null) throw invalidField('spec', 'is not an object');
  for (const [field, value] of Object.entries(spec)) {
    if (!Object.hasOwn(CHECKS, field)) throw invalidField(field, 'is not a field of a container');
    if (value !== undefined) CHECKS[field as keyof ContainerSpec](value, field);
  }
  if (spec.image === undefined) throw invalidField('image', 'is missing');
  const network = spec.network ?? 'bridge';
  return {
    ...(spec as Pick<ContainerSpec, OptionalField>),
    image: spec.image,
    name: spec.name ?? nameFromImage(spec.image),
    env: spec.env ?? {},
    mounts: (spec.mounts ?? []).map(({ source, target, readOnly = false }) => ({
      source: posix.normalize(source),
      target: withoutTrailingSlash(target),
      readOnly,
    })),
    network,
    ports: completePorts(spec.ports ?? [], network),
    labels: spec.labels ?? {},
  };
}

/** @throws {ContainerNameInvalidError} */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !NAME.test(name)) throw new ContainerNameInvalidError(String(name));
}

/** `registry/team/web:1.2@sha256:...` gives `web`. */
function nameFromImage(image: string): string {
  const last = image.replace(/@.*$/, '').replace(/\/+$/, '').split('/').at(-1) ?? '';
  const name = last
    .replace(/^[a-z-]+:(?=.)/, (prefix) => (image.startsWith(prefix) ? '' : prefix))
    .replace(/:.*$/, '')
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  return name || 'container';
}

function text(value: unknown, field: string): asserts value is string {
  if (typeof value !== 'string') throw invalidField(field, 'is not text');
  if (value === '') throw invalidField(field, 'is empty');
  if (value.includes('\0')) throw invalidField(field, 'holds a NUL character');
}

function textList(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw invalidField(field, 'is not a list of texts');
  value.forEach((item, index) => {
    if (item !== '' || index === 0) text(item, `${field}[${index}]`);
  });
}

function textRecord(value: unknown, field: string): asserts value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidField(field, 'is not a set of names with values');
  }
  for (const [key, item] of Object.entries(value)) {
    text(key, `${field} name`);
    if (item !== '') text(item, `${field}.${key}`);
  }
}

function checkEnvironment(value: unknown, field: string): void {
  textRecord(value, field);
  const bad = Object.keys(value).find((key) => key.includes('='));
  if (bad) throw invalidField(field, `the name "${bad}" holds an equals sign`);
}

function absolutePath(value: unknown, field: string): asserts value is string {
  text(value, field);
  if (!value.startsWith('/')) throw invalidField(field, `"${value}" is not an absolute path`);
  if (value.split('/').includes('..')) throw invalidField(field, `"${value}" holds ".."`);
}

function matching(pattern: RegExp, problem: string) {
  return (value: unknown, field: string) => {
    text(value, field);
    if (!pattern.test(value)) throw invalidField(field, `"${value}" ${problem}`);
  };
}

function checkHostname(value: unknown, field: string): void {
  matching(HOSTNAME, 'is not a host name (RFC 1123)')(value, field);
  if ((value as string).length > 64)
    throw invalidField(field, 'is longer than the 64 characters Linux allows');
}

function checkMounts(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw invalidField(field, 'is not a list');
  const targets = new Set<string>();
  value.forEach((mount: Partial<Mount> | null, index) => {
    const where = `${field}[${index}]`;
    if (typeof mount !== 'object' || mount === null) throw invalidField(where, 'is not an object');
    absolutePath(mount.source, `${where}.source`);
    absolutePath(mount.target, `${where}.target`);
    if (!['undefined', 'boolean'].includes(typeof mount.readOnly)) {
      throw invalidField(`${where}.readOnly`, 'is neither true nor false');
    }
    const target = withoutTrailingSlash(mount.target);
    if (target === '/' || /^\/(proc|sys|dev)$/.test(target) || target.startsWith('/proc/')) {
      throw invalidField(`${where}.target`, `nothing can be mounted over ${target}`);
    }
    if (targets.has(target)) throw invalidField(`${where}.target`, `${target} is mounted twice`);
    targets.add(target);
  });
}

function withoutTrailingSlash(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}

function checkNetwork(value: unknown, field: string): void {
  if (!NETWORKS.includes(value as string))
    throw invalidField(field, `"${value}" is none of ${NETWORKS.join(', ')}`);
}

function checkPorts(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw invalidField(field, 'is not a list');
  value.forEach((port: Partial<PublishedPort> | null, index) => {
    const where = `${field}[${index}]`;
    if (typeof port !== 'object' || port === null) throw invalidField(where, 'is not an object');
    portNumber(port.hostPort, `${where}.hostPort`);
    portNumber(port.containerPort, `${where}.containerPort`);
    if (port.protocol !== undefined && !['tcp', 'udp'].includes(port.protocol)) {
      throw invalidField(`${where}.protocol`, `"${port.protocol}" is neither tcp nor udp`);
    }
    if (port.hostAddress !== undefined && !isIPv4(port.hostAddress)) {
      throw invalidField(`${where}.hostAddress`, `"${port.hostAddress}" is not an IPv4 address`);
    }
  });
}

function completePorts(ports: PublishedPort[], network: string): Required<PublishedPort>[] {
  if (ports.length > 0 && network !== 'bridge') {
    throw invalidField(
      'ports',
      `nothing can be published from the network "${network}"`,
      'Leave the ports out (with the network "host" they are the host\'s own), or use the bridge.',
    );
  }
  const complete = ports.map(({ hostPort, containerPort, protocol = 'tcp', hostAddress = '0.0.0.0' }) => ({
    hostPort,
    containerPort,
    protocol,
    hostAddress,
  }));
  const taken = new Set<string>();
  for (const { hostPort, protocol, hostAddress } of complete) {
    const key = `${hostAddress} ${hostPort} ${protocol}`;
    if (taken.has(key)) throw invalidField('ports', `the host's port ${hostPort} stands there twice`);
    taken.add(key);
  }
  return complete;
}

function portNumber(value: unknown, field: string): void {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65_535) {
    throw invalidField(field, `${value} is not a port number (1 to 65535)`);
  }
}

function checkMemory(value: unknown, field: string): void {
  if (!Number.isSafeInteger(value)) throw invalidField(field, `${value} is not a whole number of bytes`);
  if ((value as number) < MINIMUM_MEMORY) {
    throw invalidField(field, `${value} bytes are too few to start anything`, 'Give it at least 6m.');
  }
}
