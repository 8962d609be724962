import { GaruaError } from '../../base';
import type { ContainerSpec, ContainerStatus } from '../../container';
import type { Host } from '../../host';
import { type Command, type Invocation, longCall, withHost } from '../command';
import { CONTAINER_OPTIONS, CONTAINER_USAGE, containerSpec, oneOf } from '../container-options';
import { printJson, withProgressBar } from '../output';
import { writeLogLine } from './logs';

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
  usage: `REF [--detach] ${CONTAINER_USAGE}
         [--pull missing|always|never] [--insecure] [--json] [-- COMMAND...]`,
  summary: 'Start a container; without --detach print what it writes until it ends.',
  options: {
    ...CONTAINER_OPTIONS,
    detach: { type: 'boolean', short: 'd' },
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
      if (options.detach) await warnOfPolicies(host, spec);
      const status = options.detach ? container : await attend(host, container, invocation);
      if (options.json) printJson(status);
      else if (options.detach) process.stdout.write(`${container.name}\n`);
      if (!options.detach && status.exitCode !== 0) throw new ContainerExitedError(status);
    };
    // Restart policy and probes act as long as somebody attends to the container.
    await withHost(invocation, act, !options.detach);
  },
};

/** Policies and probes are the business of a host that stays. */
async function warnOfPolicies(host: Host, spec: ContainerSpec): Promise<void> {
  const { policy = 'no' } = spec.restart ?? {};
  if (policy === 'no' && !spec.liveness && !spec.readiness) return;
  // When this process owns the data directory, nobody else does.
  if ((await host.info()).pid !== process.pid) return;
  process.stderr.write(
    'restart policies and probes act only while a host runs: start one with garua host, or use Node-RED\n',
  );
}

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
