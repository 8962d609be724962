import type { ParseArgsOptionsConfig } from 'node:util';
import type { ContainerSpec, Probe } from '../container';
import { fullReference, type Invocation, type OptionValues, text, texts, UsageError } from './command';
import * as values from './container-values';

/** The options that say how a container is to be, for node:util's parseArgs. */
export const CONTAINER_OPTIONS = {
  name: { type: 'string' },
  net: { type: 'string' },
  publish: { type: 'string', short: 'p', multiple: true },
  hostname: { type: 'string' },
  service: { type: 'string' },
  'service-port': { type: 'string' },
  'add-host': { type: 'string', multiple: true },
  volume: { type: 'string', short: 'v', multiple: true },
  tmpfs: { type: 'string', multiple: true },
  device: { type: 'string', multiple: true },
  'read-only': { type: 'boolean' },
  memory: { type: 'string', short: 'm' },
  swap: { type: 'string' },
  cpus: { type: 'string' },
  pids: { type: 'string' },
  'io-weight': { type: 'string' },
  env: { type: 'string', short: 'e', multiple: true },
  user: { type: 'string', short: 'u' },
  'group-add': { type: 'string', multiple: true },
  workdir: { type: 'string', short: 'w' },
  entrypoint: { type: 'string' },
  label: { type: 'string', multiple: true },
  'cap-add': { type: 'string', multiple: true },
  'cap-drop': { type: 'string', multiple: true },
  privileged: { type: 'boolean' },
  restart: { type: 'string' },
  probe: { type: 'string' },
  'ready-probe': { type: 'string' },
  'probe-interval': { type: 'string' },
  'probe-timeout': { type: 'string' },
  'probe-failures': { type: 'string' },
  'start-period': { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

export const CONTAINER_USAGE = `[--name N] [--net bridge|host|none] [-p HOST:CONTAINER[/udp]]
         [--service S] [--service-port PORT] [-v HOST:CONTAINER[:ro]] [-v VOLUME:CONTAINER]
         [--tmpfs PATH[:SIZE]] [--device PATH[:PATH][:rwm]] [--read-only]
         [--memory 64m] [--swap 64m] [--cpus 0.25] [--pids N] [--io-weight 10..1000]
         [--env K=V] [--user U] [--group-add G] [--workdir DIR] [--hostname H] [--add-host NAME:ADDRESS]
         [--entrypoint PROGRAM] [--label K=V] [--cap-add C] [--cap-drop C] [--privileged]
         [--restart no|on-failure[:N]|always|unless-stopped]
         [--probe http://:PORT/|tcp://:PORT|exec:COMMAND] [--ready-probe PROBE] [--probe-interval 10s]
         [--probe-timeout 5s] [--probe-failures 3] [--start-period 30s]`;

/** The container that a command line asks for. @throws {UsageError} {ImageReferenceError} */
export function containerSpec({ options, positionals, rest }: Invocation): ContainerSpec {
  const one = <T>(name: string, read: (words: string) => T): T | undefined => {
    const words = text(options, name);
    return words === undefined ? undefined : read(words);
  };
  const capabilities = { add: texts(options, 'cap-add'), drop: texts(options, 'cap-drop') };
  const changesCapabilities = capabilities.add.length + capabilities.drop.length > 0;
  return {
    image: fullReference(positionals[0]!),
    name: text(options, 'name'),
    entrypoint: one('entrypoint', (program) => [program]),
    command: rest.length > 0 ? rest : undefined,
    env: Object.fromEntries(texts(options, 'env').map(values.assignment('env'))),
    workingDirectory: text(options, 'workdir'),
    user: text(options, 'user'),
    groups: someOf(texts(options, 'group-add')),
    hostname: text(options, 'hostname'),
    extraHosts: recordOf(texts(options, 'add-host').map(values.extraHost)),
    mounts: [
      ...texts(options, 'volume').map(values.mount),
      ...texts(options, 'tmpfs').map(values.temporaryMount),
    ],
    devices: someOf(texts(options, 'device').map(values.device)),
    readOnlyRoot: options['read-only'] === true ? true : undefined,
    network: oneOf(options, 'net', ['bridge', 'host', 'none'] as const),
    ports: texts(options, 'publish').map(values.publishedPort),
    service: text(options, 'service'),
    servicePort: one('service-port', values.positiveNumber('service-port')),
    memory: one('memory', values.bytes('memory')),
    swap: one('swap', values.bytes('swap')),
    cpus: one('cpus', values.positiveNumber('cpus')),
    pids: one('pids', values.positiveNumber('pids')),
    ioWeight: one('io-weight', values.positiveNumber('io-weight')),
    capabilities: changesCapabilities ? capabilities : undefined,
    privileged: options.privileged === true ? true : undefined,
    restart: one('restart', values.restartPolicy),
    ...probes(options),
    labels: recordOf(texts(options, 'label').map(values.assignment('label'))),
  };
}

/** The timing options are meant for both probes. */
function probes(options: OptionValues): Pick<ContainerSpec, 'liveness' | 'readiness'> {
  const one = <T>(name: string, read: (words: string) => T) => {
    const words = text(options, name);
    return words === undefined ? undefined : read(words);
  };
  const timing: Partial<Probe> = {
    intervalMs: one('probe-interval', values.duration('probe-interval')),
    timeoutMs: one('probe-timeout', values.duration('probe-timeout')),
    failureThreshold: one('probe-failures', values.positiveNumber('probe-failures')),
    startPeriodMs: one('start-period', values.duration('start-period')),
  };
  const known = Object.fromEntries(Object.entries(timing).filter(([, value]) => value !== undefined));
  const liveness = one('probe', values.probe('probe'));
  const readiness = one('ready-probe', values.probe('ready-probe'));
  if (!liveness && !readiness && Object.keys(known).length > 0) {
    throw new UsageError('the timing of probes needs --probe or --ready-probe');
  }
  return {
    liveness: liveness && { ...liveness, ...known },
    readiness: readiness && { ...readiness, ...known },
  };
}

/** The value of an option that has a few. @throws {UsageError} */
export function oneOf<T extends string>(
  options: OptionValues,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = text(options, name);
  if (value === undefined) return undefined;
  const found = choices.find((candidate) => candidate === value);
  if (!found) throw new UsageError(`--${name} must be one of ${choices.join(', ')}`);
  return found;
}

function someOf<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function recordOf(entries: [string, string][]): Record<string, string> | undefined {
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
