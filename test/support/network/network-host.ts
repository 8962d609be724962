import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import type { CliResult } from '../garua';
import type { HostPlace } from './fog-network-namespaces';

const MAIN = join(__dirname, '../../../lib/cli/main.js');

/** Runs a command with a /run/garua of its own: hosts of one machine would share the addresses of containers there. */
export const OWN_RUN = [
  ...['unshare', '--mount', 'sh', '-c'],
  'mkdir -p /run/garua && mount -t tmpfs tmpfs /run/garua && exec "$@"',
  'sh',
];

export interface NetworkHostOptions {
  name: string;
  site: string;
  data: string;
  /** The site's shared folder. */
  nas: string;
  /** Multiaddrs of hosts to join. */
  join?: string[];
  env?: NodeJS.ProcessEnv;
  /** Words for Node.js, such as `--cpu-prof`. */
  nodeOptions?: string[];
}

/** A `garua host` in a place of the network, and `garua` commands there. */
export class NetworkHost {
  readonly place: HostPlace;
  readonly options: NetworkHostOptions;
  /** Everything it has said. */
  log = '';
  #child: ChildProcess | undefined;

  constructor(place: HostPlace, options: NetworkHostOptions) {
    this.place = place;
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get running(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves when it serves its control socket. */
  async start(): Promise<void> {
    const { name, site, data, nas, join: others = [] } = this.options;
    mkdirSync(data, { recursive: true });
    mkdirSync(nas, { recursive: true });
    const listen = `/ip4/${this.place.address}/tcp/4747`;
    const words = ['host', '--name', name, '--site', site, '--nas', nas, '--listen', listen];
    const child = this.#spawn([...words, ...others.flatMap((address) => ['--join', address])]);
    this.#child = child;
    child.stdout!.resume();
    const lines = createInterface({ input: child.stderr! });
    lines.on('line', (line) => {
      this.log += `${line}\n`;
    });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => line.includes(' serves ') && resolve());
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${name} has ended: ${this.log}`)));
    });
  }

  /** Its calls, through the control socket. The caller closes it. */
  open(): Promise<Host> {
    return openHost({ socket: join(this.options.data, 'garua.sock') });
  }

  /** One call on it. */
  async use<T>(call: (host: Host) => Promise<T>): Promise<T> {
    const host = await this.open();
    try {
      return await call(host);
    } finally {
      await host.close();
    }
  }

  /** Runs a `garua` command in its place of the network. */
  async garua(...words: string[]): Promise<CliResult> {
    const child = this.#spawn(words);
    const output = { stdout: '', stderr: '' };
    child.stdout!.setEncoding('utf8').on('data', (text) => {
      output.stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      output.stderr += text;
    });
    const [status] = await once(child, 'close');
    return { status, ...output };
  }

  /** Names of the hosts that it sees in a state, itself too. */
  async sees(state: 'up' | 'down' | 'suspect' = 'up'): Promise<string> {
    const sites = await this.use((host) => host.sites());
    const seen = sites.flatMap(({ hosts }) => hosts).filter((host) => host.state === state);
    return seen
      .map(({ name }) => name)
      .sort()
      .join(' ');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const exit = once(this.#child!, 'exit');
    this.#child!.kill(signal);
    await exit;
  }

  #spawn(words: string[]): ChildProcess {
    const { data, env, nodeOptions = [] } = this.options;
    const command = [process.execPath, ...nodeOptions, MAIN, ...words, '--data', data];
    // Unlike `ip netns exec` it leaves /sys alone, and with it the cgroups that containers need.
    const inside = [`--net=/run/netns/${this.place.namespace}`, ...OWN_RUN, ...command];
    return spawn('nsenter', inside, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
  }
}
