/** A Node-RED of its own, as a user has it: this package installed, an empty flow, an editor. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NODE_RED, PROJECT } from './node-red';
import { freePort } from './registry';

export interface NodeRedProcess {
  /** Where the editor is. */
  url: string;
  /** The host's data directory that nodes without a fog-host use. */
  dataDirectory: string;
  /** What it has printed. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts it on a free port; `settings` are added to those that keep it quiet and offline. */
export async function startNodeRed(settings: object = {}): Promise<NodeRedProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'garua-node-red-'));
  const port = await freePort();
  const dataDirectory = join(folder, 'data');
  install(folder, {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: 'test',
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, palette: { catalogues: [] }, projects: { enabled: false } },
    garua: { dataDirectory },
    ...settings,
  });
  const main = join(PROJECT, 'node_modules', NODE_RED, 'red.js');
  const child = spawn(
    process.execPath,
    [main, '--userDir', folder, '--settings', join(folder, 'settings.js')],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream!.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-100_000);
    });
  }
  const killWithTest = () => child.kill('SIGKILL');
  process.once('exit', killWithTest);
  const url = `http://127.0.0.1:${port}/`;
  const stop = async () => {
    process.removeListener('exit', killWithTest);
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(url, child, () => log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, dataDirectory, log: () => log, stop };
}

/** As `npm install` in the user folder would leave it. */
function install(folder: string, settings: object): void {
  const scope = join(folder, 'node_modules/@garua');
  mkdirSync(scope, { recursive: true });
  symlinkSync(PROJECT, join(scope, 'node-red-fog'));
  const dependencies = { '@garua/node-red-fog': '*' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'test', private: true, dependencies }));
  writeFileSync(join(folder, 'settings.js'), `module.exports = ${JSON.stringify(settings)};\n`);
}

interface NodeSet {
  module: string;
  types: string[];
  enabled: boolean;
  err?: string;
}

async function answering(url: string, child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt += 1) {
    const headers = { accept: 'application/json' };
    const answer = await fetch(`${url}nodes`, { headers }).catch(() => undefined);
    const sets = answer?.ok ? ((await answer.json()) as NodeSet[]) : [];
    const ours = sets.filter(({ module }) => module === '@garua/node-red-fog');
    const broken = ours.find(({ err }) => err);
    if (broken) throw new Error(`Node-RED cannot load ${broken.types}: ${broken.err} ${log()}`);
    if (ours.length > 0 && (await fetch(`${url}flows`)).ok) return;
    await delay(100);
  }
  throw new Error(`Node-RED does not offer the nodes of this package: ${log()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(forced);
}
