import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Delay } from './event-loop';
import { PROJECT } from './paths';
import { benchEnvironment, type Daemon, startDaemon, waitFor } from './processes';

/** What a flow took down with `global.get('take')(phase)`; see children/node-red-settings.ts. */
export type Phases = Record<string, (Delay & { detail?: unknown }) | undefined>;

interface Setting {
  /** A folder of its own. */
  folder: string;
  /** Node-RED's flow file. A `take('failed', message)` in it ends the run. */
  flow: object[];
  /** The phase that ends the run. */
  until: string;
  timeoutMs?: number;
}

/** A Node-RED with the editor on and with Garua's nodes, for one flow. */
export class NodeRedBench {
  #daemon: Daemon | undefined;

  constructor(private readonly setting: Setting) {}

  /** Runs the flow until its last phase. */
  async run(): Promise<Phases> {
    const { folder, flow, until, timeoutMs = 180_000 } = this.setting;
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
    writeFileSync(join(user, 'flows.json'), JSON.stringify(flow));
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
    const attempt = async () => readReport(report, join(folder, 'log'), until);
    return waitFor(`the phase ${until}`, this.#daemon, attempt, timeoutMs);
  }

  async close(): Promise<void> {
    await this.#daemon?.stop();
  }
}

/** A function node of a flow. */
export function functionNode(id: string, code: string, wires: string[]): object {
  return {
    ...{ id, z: 'tab', type: 'function', name: id, func: code, outputs: 1, timeout: 0, noerr: 0 },
    ...{ initialize: '', finalize: '', libs: [], x: 300, y: 100, wires: [wires] },
  };
}

/** What every flow has: a tab, a start after two seconds, and a way out for errors. */
export function flowFrame(first: string): object[] {
  return [
    { id: 'tab', type: 'tab', label: 'bench', disabled: false, info: '' },
    {
      ...{ id: 'inject', z: 'tab', type: 'inject', props: [], repeat: '', crontab: '', topic: '' },
      ...{ once: true, onceDelay: 2, x: 100, y: 100, wires: [[first]] },
    },
    {
      ...{ id: 'catch', z: 'tab', type: 'catch', scope: null, uncaught: false, x: 100, y: 260 },
      wires: [['failed']],
    },
    functionNode('failed', "global.get('take')('failed', msg.error.message); return null;", []),
  ];
}

export function delayNode(id: string, seconds: number, wires: string[]): object {
  return {
    ...{ id, z: 'tab', type: 'delay', pauseType: 'delay', timeout: String(seconds) },
    ...{ timeoutUnits: 'seconds', x: 500, y: 100, wires: [wires] },
  };
}

function readReport(report: string, log: string, until: string): Phases {
  const phases: Phases & { failed?: { detail: string } } = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : {};
  if (phases[until]) return phases;
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
