import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { Delay } from './event-loop';
import { PROJECT } from './paths';
import { benchEnvironment, type Daemon, startDaemon, waitFor } from './processes';

export interface NodeRedRun {
  idle: Delay;
  deploy: Delay;
}

interface Setting {
  /** A folder of its own. */
  folder: string;
  image: string;
  registry: string;
}

const CONTAINER = 'garua-bench-event-loop';
const IDLE_SECONDS = 4;

/** A Node-RED with the editor on, and a flow that deploys a container some seconds after the start. */
export class NodeRedPull {
  readonly #data: string;
  #daemon: Daemon | undefined;

  constructor(private readonly setting: Setting) {
    this.#data = join(setting.folder, 'data');
  }

  /** Runs the flow until the container runs. */
  async run(): Promise<NodeRedRun> {
    const { folder } = this.setting;
    const user = join(folder, 'user');
    const modules = join(user, 'node_modules', '@garua');
    const report = join(folder, 'report.json');
    mkdirSync(modules, { recursive: true });
    symlinkSync(PROJECT, join(modules, 'node-red-fog'));
    const dependencies = { '@garua/node-red-fog': '*' };
    writeFileSync(
      join(user, 'package.json'),
      JSON.stringify({ name: 'bench', version: '1.0.0', dependencies }),
    );
    writeFileSync(join(user, 'flows.json'), JSON.stringify(this.#flow()));
    this.#daemon = startDaemon(
      process.execPath,
      [
        join(PROJECT, 'node_modules', 'node-red', 'red.js'),
        ...['--userDir', user],
        ...['--settings', join(PROJECT, 'dist', 'test', 'bench', 'children', 'node-red-settings.js')],
      ],
      join(folder, 'log'),
      benchEnvironment({ GARUA_BENCH_REPORT: report, GARUA_BENCH_PORT: String(await freePort()) }),
    );
    return waitFor(
      'the container',
      this.#daemon,
      async () => readReport(report, join(folder, 'log')),
      180_000,
    );
  }

  async close(): Promise<void> {
    await this.#daemon?.stop();
    if (!existsSync(this.#data)) return;
    const command = join(PROJECT, 'dist', 'lib', 'cli', 'main.js');
    const args = [command, 'rm', CONTAINER, '--force', '--data', this.#data];
    await execute(process.execPath, args, { allowFailure: true });
  }

  #flow(): object[] {
    const { image, registry } = this.setting;
    const inject = {
      ...{ id: 'inject', z: 'tab', type: 'inject', props: [], repeat: '', crontab: '', topic: '' },
      ...{ once: true, onceDelay: 2, x: 100, y: 100, wires: [['settled']] },
    };
    const code = (id: string, func: string, wires: string[], y: number) => ({
      ...{ id, z: 'tab', type: 'function', name: id, func, outputs: 1, timeout: 0, noerr: 0 },
      ...{ initialize: '', finalize: '', libs: [], x: 300, y, wires: [wires] },
    });
    return [
      { id: 'tab', type: 'tab', label: 'bench', disabled: false, info: '' },
      {
        ...{ id: 'host', type: 'fog-host', name: 'bench', dataDirectory: this.#data, socket: '' },
        registries: [{ host: registry, username: '', insecure: true }],
      },
      inject,
      code('settled', "global.get('take')('start'); return msg;", ['wait'], 100),
      {
        ...{ id: 'wait', z: 'tab', type: 'delay', pauseType: 'delay', timeout: String(IDLE_SECONDS) },
        ...{ timeoutUnits: 'seconds', x: 500, y: 100, wires: [['idle']] },
      },
      code('idle', "global.get('take')('idle'); return { action: 'deploy' };", ['deploy'], 140),
      {
        ...{ id: 'deploy', z: 'tab', type: 'deploy-container', name: CONTAINER, image, imageType: 'str' },
        ...{ host: 'host', command: '', env: [], mounts: [], memory: '', network: 'none' },
        ...{ pull: 'missing', start: false, logs: false, removeOnDelete: false },
        ...{ x: 500, y: 180, wires: [['deployed'], []] },
      },
      code(
        'deployed',
        "if (msg.payload?.state === 'running') global.get('take')('deploy', msg.payload); return null;",
        [],
        220,
      ),
      {
        id: 'catch',
        z: 'tab',
        type: 'catch',
        scope: null,
        uncaught: false,
        x: 100,
        y: 260,
        wires: [['failed']],
      },
      code('failed', "global.get('take')('failed', msg.error.message); return null;", [], 260),
    ];
  }
}

function readReport(report: string, log: string): NodeRedRun {
  const phases = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  if (phases.deploy) return phases;
  if (phases.failed) throw new Error(phases.failed.detail);
  throw new Error(readFileSync(log, 'utf8').slice(-3000));
}

/** A port that nobody listens on at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
