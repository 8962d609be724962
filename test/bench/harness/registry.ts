import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { Cleanup } from './cleanup';
import { startDaemon, waitFor } from './processes';

/** The link between this machine and the registry. */
export interface Link {
  title: string;
  /** Arguments of `tc qdisc ... tbf`; absent: as fast as the kernel copies. */
  shape?: string[];
}

export const LINKS = {
  unshaped: { title: 'unshaped' },
  '100mbit': { title: '100 Mbit/s', shape: ['rate', '100mbit', 'burst', '128kb', 'latency', '50ms'] },
  '10mbit': { title: '10 Mbit/s', shape: ['rate', '10mbit', 'burst', '32kb', 'latency', '50ms'] },
  '256kbit': { title: '256 kbit/s', shape: ['rate', '256kbit', 'burst', '8kb', 'latency', '400ms'] },
} satisfies Record<string, Link>;

const NAMESPACE = 'garua-bench';
const HOST_END = 'garuabench0';
const REGISTRY_END = 'garuabench1';
const HOST_ADDRESS = '10.77.0.253';
const REGISTRY_ADDRESS = '10.77.0.254';
const PORT = 5000;

/** A Debian docker-registry that is reached over a link of its own, whose rate can be set. */
export class Registry {
  readonly address = `${REGISTRY_ADDRESS}:${PORT}`;
  readonly #accessLog: string;

  private constructor(accessLog: string) {
    this.#accessLog = accessLog;
  }

  /** @param storage where blobs are kept, so that a second run need not push them again */
  static async start(storage: string, folder: string, cleanup: Cleanup): Promise<Registry> {
    await removeNetwork();
    cleanup.defer('test network', removeNetwork);
    await execute('ip', ['netns', 'add', NAMESPACE]);
    const veth = ['link', 'add', HOST_END, 'type', 'veth', 'peer', 'name', REGISTRY_END];
    await execute('ip', [...veth, 'netns', NAMESPACE]);
    await execute('ip', ['address', 'add', `${HOST_ADDRESS}/30`, 'dev', HOST_END]);
    await execute('ip', ['link', 'set', HOST_END, 'up']);
    await execute('ip', ['-n', NAMESPACE, 'address', 'add', `${REGISTRY_ADDRESS}/30`, 'dev', REGISTRY_END]);
    await execute('ip', ['-n', NAMESPACE, 'link', 'set', REGISTRY_END, 'up']);
    await execute('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up']);

    const config = join(folder, 'registry.yml');
    const log = join(folder, 'registry.log');
    writeFileSync(
      config,
      `version: 0.1
log: { level: warn }
storage: { filesystem: { rootdirectory: ${storage} } }
http: { addr: "${REGISTRY_ADDRESS}:${PORT}" }
`,
    );
    const daemon = startDaemon('ip', ['netns', 'exec', NAMESPACE, 'docker-registry', 'serve', config], log);
    cleanup.defer('registry', () => daemon.stop());
    const registry = new Registry(log);
    await waitFor('the registry', daemon, () => registry.ping());
    return registry;
  }

  async shape(link: Link): Promise<void> {
    const device = ['dev', REGISTRY_END, 'root'];
    await execute('tc', ['-n', NAMESPACE, 'qdisc', 'del', ...device], { allowFailure: true });
    if (link.shape) await execute('tc', ['-n', NAMESPACE, 'qdisc', 'add', ...device, 'tbf', ...link.shape]);
  }

  /** Forgets the requests so far. */
  clearRequests(): void {
    truncateSync(this.#accessLog);
  }

  /** Bytes of one blob that the registry sent since `clearRequests`, from its own access log. */
  bytesServed(digest: string): number {
    let bytes = 0;
    for (const line of readFileSync(this.#accessLog, 'utf8').split('\n')) {
      const match = /"GET (\S+) HTTP\/[\d.]+" (\d+) (\d+)/.exec(line);
      if (match?.[1]?.endsWith(digest) && match[2]?.startsWith('2')) bytes += Number(match[3]);
    }
    return bytes;
  }

  private ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      get(`http://${this.address}/v2/`, (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      }).on('error', reject);
    });
  }
}

/** The pair goes with either of its ends. */
async function removeNetwork(): Promise<void> {
  await execute('ip', ['link', 'del', HOST_END], { allowFailure: true });
  await execute('ip', ['netns', 'del', NAMESPACE], { allowFailure: true });
}
