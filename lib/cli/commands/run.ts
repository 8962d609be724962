import { resolve } from 'node:path';
import { GaruaError, parseSize } from '../../base';
import type { ContainerSpec, ContainerStatus, Mount, PublishedPort } from '../../container';
import type { Host } from '../../host';
import {
  type Command,
  fullReference,
  type Invocation,
  longCall,
  type OptionValues,
  text,
  texts,
  UsageError,
  withHost,
} from '../command';
import { printJson, withProgressBar } from '../output';
import { writeLogLine } from './logs';

const LARGEST_PORT = 65_535;

/** A container that was run in the foreground ended with a status other than 0. */
export class ContainerExitedError extends GaruaError {
  constructor({ name, exitCode, reason }: ContainerStatus) {
    super(
      'ERR_CONTAINER_EXITED',
      `container ${name} ended with status ${exitCode ?? 'unknown'} (${reason ?? 'unknown reason'})`,
      `Read what it wrote with garua logs ${name}.`,
    );
  }
}

/** `garua run`: pulls an image when it is missing, and starts a container of it. */
export const run: Command = {
  name: 'run',
  usage:
    'REF [--name N] [--detach] [--net bridge|host|none] [-p HOST:CONTAINER[/udp]] [-v HOST:CONTAINER[:ro]]\n' +
    '         [--memory 64m] [--env K=V] [--user U] [--workdir DIR] [--hostname H] [--entrypoint PROGRAM]\n' +
    '         [--pull missing|always|never] [--insecure] [--json] [-- COMMAND...]',
  summary: 'Start a container; without --detach print what it writes until it ends.',
  options: {
    name: { type: 'string' },
    detach: { type: 'boolean', short: 'd' },
    net: { type: 'string' },
    publish: { type: 'string', short: 'p', multiple: true },
    volume: { type: 'string', short: 'v', multiple: true },
    memory: { type: 'string', short: 'm' },
    env: { type: 'string', short: 'e', multiple: true },
    user: { type: 'string', short: 'u' },
    workdir: { type: 'string', short: 'w' },
    hostname: { type: 'string' },
    entrypoint: { type: 'string' },
    pull: { type: 'string' },
    insecure: { type: 'boolean' },
  },
  positionals: { minimum: 1, maximum: 1 },
  takesRest: true,
  async run(invocation) {
    const { options } = invocation;
    const spec = containerSpec(invocation);
    const policy = oneOf(options, 'pull', ['missing', 'always', 'never'] as const);
    const act = async (host: Host) => {
      const { container } = await withProgressBar((onProgress) =>
        host.deploy(spec, {
          ...longCall(invocation, onProgress),
          policy,
          insecure: options.insecure === true,
        }),
      );
      const status = options.detach ? container : await attend(host, container, invocation);
      if (options.json) printJson(status);
      else if (options.detach) process.stdout.write(`${container.name}\n`);
      if (!options.detach && status.exitCode !== 0) throw new ContainerExitedError(status);
    };
    // Restart policy and probes act as long as somebody attends to the container.
    await withHost(invocation, act, !options.detach);
  },
};

/** Prints a container's output until it ends; an interruption stops it. */
async function attend(
  host: Host,
  container: ContainerStatus,
  invocation: Invocation,
): Promise<ContainerStatus> {
  const { name, startedAt } = container;
  const stop = () => {
    process.stderr.write(`stopping ${name} (again to kill it)\n`);
    const patience = new AbortController();
    process.once('SIGINT', () => patience.abort());
    const stopping = host.stop(name, { signal: patience.signal });
    void stopping.catch(() => host.stop(name, { graceMs: 0 })).catch(() => {});
  };
  invocation.signal.addEventListener('abort', stop, { once: true });
  if (invocation.signal.aborted) stop();
  const over = new AbortController();
  const ended = host.wait(name).finally(() => over.abort());
  // Looked at below, once the log has been read.
  ended.catch(() => {});
  for await (const line of host.logs(name, {
    follow: true,
    since: startedAt ?? undefined,
    signal: over.signal,
  })) {
    // With --json the document alone goes to stdout.
    if (invocation.options.json) process.stderr.write(`${line.text}\n`);
    else writeLogLine(line);
  }
  return ended;
}

function containerSpec({ options, positionals, rest }: Invocation): ContainerSpec {
  const entrypoint = text(options, 'entrypoint');
  const memory = text(options, 'memory');
  return {
    image: fullReference(positionals[0]!),
    name: text(options, 'name'),
    entrypoint: entrypoint === undefined ? undefined : [entrypoint],
    command: rest.length > 0 ? rest : undefined,
    env: Object.fromEntries(texts(options, 'env').map(environmentVariable)),
    workingDirectory: text(options, 'workdir'),
    user: text(options, 'user'),
    hostname: text(options, 'hostname'),
    mounts: texts(options, 'volume').map(mount),
    network: oneOf(options, 'net', ['bridge', 'host', 'none'] as const),
    ports: texts(options, 'publish').map(publishedPort),
    memory: memory === undefined ? undefined : memoryLimit(memory),
  };
}

function environmentVariable(assignment: string): [string, string] {
  const equals = assignment.indexOf('=');
  if (equals < 1) throw new UsageError(`--env ${assignment} is not of the form NAME=VALUE`);
  return [assignment.slice(0, equals), assignment.slice(equals + 1)];
}

function mount(words: string): Mount {
  const [source, target, mode, ...more] = words.split(':');
  if (!source || !target || more.length > 0 || (mode !== undefined && mode !== 'ro' && mode !== 'rw')) {
    throw new UsageError(`-v ${words} is not of the form HOST:CONTAINER[:ro]`);
  }
  if (!target.startsWith('/'))
    throw new UsageError(`-v ${words}: the path in the container must begin with /`);
  return { source: resolve(source), target, readOnly: mode === 'ro' };
}

function publishedPort(words: string): PublishedPort {
  const match = /^(?:(.+):)?(\d+):(\d+)(?:\/(tcp|udp))?$/.exec(words);
  if (!match) throw new UsageError(`-p ${words} is not of the form [ADDRESS:]HOST:CONTAINER[/udp]`);
  const [hostPort, containerPort] = [Number(match[2]), Number(match[3])];
  for (const port of [hostPort, containerPort]) {
    if (port < 1 || port > LARGEST_PORT) throw new UsageError(`-p ${words}: ${port} is not a port`);
  }
  return {
    hostAddress: match[1],
    hostPort,
    containerPort,
    protocol: match[4] === 'udp' ? 'udp' : 'tcp',
  };
}

function memoryLimit(words: string): number {
  try {
    return parseSize(words);
  } catch (error) {
    throw new UsageError(`--memory: ${(error as Error).message}`);
  }
}

function oneOf<T extends string>(options: OptionValues, name: string, values: readonly T[]): T | undefined {
  const value = text(options, name);
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (!found) throw new UsageError(`--${name} must be one of ${values.join(', ')}`);
  return found;
}
