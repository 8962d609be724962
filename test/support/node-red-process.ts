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
  const command = installNodeRed(folder, { uiPort: port, garua: { dataDirectory }, ...settings });
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
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

/**
 * Leaves a user folder as `npm install` in it would, with settings that keep Node-RED quiet and offline.
 * @returns the command that starts it
 */
export function installNodeRed(folder: string, more: object): string[] {
  const settings = {
    uiHost: '127.0.0.1',
    flowFile: 'flows.json',
    credentialSecret: 'test',
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, palette: { catalogues: [] }, projects: { enabled: false } },
    ...more,
  };
  const scope = join(folder, 'node_modules/@garua');
  mkdirSync(scope, { recursive: true });
  symlinkSync(PROJECT, join(scope, 'node-red-fog'));
  const dependencies = { '@garua/node-red-fog': '*' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'test', private: true, dependencies }));
  const file = join(folder, 'settings.js');
  writeFileSync(file, `module.exports = ${JSON.stringify(settings)};\n`);
  const main = join(PROJECT, 'node_modules', NODE_RED, 'red.js');
  return [process.execPath, main, '--userDir', folder, '--settings', file];
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
