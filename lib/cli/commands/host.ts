import { once } from 'node:events';
import { resolve } from 'node:path';
import { PermissionError, parseSize } from '../../base';
import type { ContainerStatus } from '../../container';
import { openHost } from '../../control';
import {
  type Host,
  notifyServiceManager,
  runSteps,
  serviceSteps,
  startByHand,
  thisMachine,
} from '../../host';
import { type Command, type Invocation, text, texts } from '../command';

/** `garua host`: the daemon. It owns the data directory, serves its socket, and cares for the containers. */
export const host: Command = {
  name: 'host',
  usage:
    '[--site S] [--name N] [--nas DIR] [--quota BYTES] [--listen MULTIADDR] [--join MULTIADDR]... [--node-red URL] [--node-red-token-file FILE] [--install-service]',
  summary:
    'Stay and care for the containers: restart policies, probes, the control socket. --socket PATH: listen there too. --node-red: the editor of the Node-RED that runs operators here, and a file with an access token for it. --install-service lets systemd start it. What is not given stays as it was given last.',
  options: {
    name: { type: 'string' },
    site: { type: 'string' },
    nas: { type: 'string' },
    quota: { type: 'string' },
    listen: { type: 'string', multiple: true },
    join: { type: 'string', multiple: true },
    'node-red': { type: 'string' },
    'node-red-token-file': { type: 'string' },
    'install-service': { type: 'boolean' },
  },
  positionals: { minimum: 0, maximum: 0 },
  async run(invocation) {
    if (invocation.options['install-service']) return installService(invocation);
    const { options, signal } = invocation;
    const quota = text(options, 'quota');
    const opened = await openHost({
      dataDirectory: text(options, 'data'),
      name: text(options, 'name'),
      site: text(options, 'site'),
      nas: text(options, 'nas'),
      quota: quota === undefined ? undefined : parseSize(quota),
      nodeRed: text(options, 'node-red'),
      nodeRedTokenFile: text(options, 'node-red-token-file'),
      mesh: { listen: texts(options, 'listen'), join: texts(options, 'join') },
      listen: text(options, 'socket'),
      supervise: true,
    });
    try {
      const { name, dataDirectory, pid } = await opened.info();
      const state =
        pid === process.pid
          ? `host ${name} serves ${dataDirectory}`
          : `process ${pid} serves ${dataDirectory}; waiting to take over from it`;
      say(state);
      notifyServiceManager('READY=1', `STATUS=${state}`);
      const reporting = report(opened, signal);
      if (!signal.aborted) await once(signal, 'abort');
      notifyServiceManager('STOPPING=1');
      say('ending; containers go on running');
      await reporting;
    } finally {
      await opened.close();
    }
  },
};

/** A line for each change of a container, until the end. */
async function report(opened: Host, signal: AbortSignal): Promise<void> {
  const lines = new Map<string, string>();
  try {
    for await (const status of opened.watch({ signal })) {
      const line = describe(status);
      if (lines.get(status.name) === line) continue;
      lines.set(status.name, line);
      say(line);
    }
  } catch (error) {
    if (!signal.aborted) say(`containers are not watched any more: ${(error as Error).message}`);
  }
}

function describe({ name, state, pid, exitCode, reason, health, restarts }: ContainerStatus): string {
  const details = [
    state === 'running' ? `process ${pid}` : exitCode === null ? '' : `status ${exitCode}`,
    state === 'running' ? '' : (reason ?? ''),
    health === 'none' ? '' : health,
    restarts > 0 ? `restarts ${restarts}` : '',
  ].filter(Boolean);
  return `container ${name} ${state}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
}

async function installService({ options, signal }: Invocation): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new PermissionError('installing a service needs root', 'Run it with sudo.');
  const [nas, quota] = [text(options, 'nas'), text(options, 'quota')];
  const tokenFile = text(options, 'node-red-token-file');
  // What the daemon would refuse is refused here.
  if (quota !== undefined) parseSize(quota);
  const wanted = {
    dataDirectory: text(options, 'data'),
    name: text(options, 'name'),
    socket: text(options, 'socket'),
    more: [
      // The service starts in another folder.
      ...(nas === undefined ? [] : ['--nas', nas && resolve(nas)]),
      ...(tokenFile === undefined ? [] : ['--node-red-token-file', tokenFile && resolve(tokenFile)]),
      ...['site', 'quota', 'listen', 'join', 'node-red'].flatMap((option) =>
        [text(options, option) ?? texts(options, option)].flat().flatMap((value) => [`--${option}`, value]),
      ),
    ],
  };
  const steps = await serviceSteps(thisMachine, wanted);
  if (steps.length === 0) say('There is nothing to do.');
  await runSteps(steps, say, signal);
  const command = await startByHand(thisMachine, wanted);
  if (command) say(`This machine does not run systemd. Start the daemon yourself: ${command}`);
}

/** journald notes the time itself. */
function say(line: string): void {
  const time = process.env.JOURNAL_STREAM ? '' : `${new Date().toISOString()} `;
  process.stderr.write(`${time}${line}\n`);
}
