import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus } from '../../lib';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry';
import { garua, garuaJson } from '../support/garua';
import { busyboxLayer, fileLayer, makeImage } from '../support/images';
import type { FlowNode } from '../support/node-red';
import { type NodeRedProcess, startNodeRed } from '../support/node-red-process';
import { temporaryFolder } from '../support/temporary';
import { withSmallDisk } from './tools';

interface Seen {
  /** `colour text` of each status, by the node's name. */
  statuses: Record<string, string[]>;
  /** Messages that the catch node got, by the node's name. */
  errors: Record<string, string[]>;
}

const REDEPLOYS = 30;

function container(name: string, image: string, command = 'sleep 600'): FlowNode {
  const settings = {
    env: [],
    mounts: [],
    memory: '',
    network: 'none',
    pull: 'missing',
    removeOnDelete: true,
  };
  const wires = { wires: [[], []] as string[][] };
  const all = { ...settings, ...wires, host: '', imageType: 'str', start: true, logs: false };
  return { id: `container-${name}`, type: 'deploy-container', z: 'tab', name, image, command, ...all };
}

/** The nodes, and others that keep what they show and raise, and tell it on HTTP. */
function flowOf(nodes: FlowNode[], comment = ''): FlowNode[] {
  const keep = (list: string, of: string, text: string) =>
    `const all = global.get('${list}') || {}; const name = ${of}.source.name; ` +
    `(all[name] = all[name] || []).push(${text}); global.set('${list}', all);`;
  const functionNode = (id: string, func: string, wires: string[][] = []) => ({
    ...{ id, type: 'function', z: 'tab', name: id, func, outputs: wires.length, timeout: 0, noerr: 0 },
    ...{ initialize: '', finalize: '', libs: [], wires },
  });
  // Without a place it would be a config node.
  const placed = [
    ...nodes,
    { id: 'status', type: 'status', z: 'tab', scope: null, wires: [['keep-status']] },
    functionNode('keep-status', keep('statuses', 'msg.status', "msg.status.fill + ' ' + msg.status.text")),
    { id: 'catch', type: 'catch', z: 'tab', scope: null, uncaught: false, wires: [['keep-error']] },
    functionNode('keep-error', keep('errors', 'msg.error', "msg.error.code + ': ' + msg.error.message")),
    { id: 'in', type: 'http in', z: 'tab', url: '/seen', method: 'get', upload: false, wires: [['tell']] },
    functionNode(
      'tell',
      "msg.payload = { statuses: global.get('statuses') || {}, errors: global.get('errors') || {} }; return msg;",
      [['out']],
    ),
    { id: 'out', type: 'http response', z: 'tab', statusCode: '', headers: {}, wires: [] },
  ].map((node) => ({ ...node, x: 100, y: 100 }));
  return [{ id: 'tab', type: 'tab', label: 'faults', disabled: false, info: comment }, ...placed];
}

async function deploy({ url }: NodeRedProcess, flow: FlowNode[]): Promise<void> {
  const answer = await fetch(`${url}flows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
    body: JSON.stringify(flow),
  });
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}

async function seen({ url }: NodeRedProcess): Promise<Seen> {
  const answer = await fetch(`${url}seen`, { signal: AbortSignal.timeout(5000) });
  assert.equal(answer.status, 200);
  return (await answer.json()) as Seen;
}

/** Looks until it fits, at most so many seconds. */
async function until(red: NodeRedProcess, seconds: number, fits: (now: Seen) => boolean): Promise<Seen> {
  for (const end = Date.now() + seconds * 1000; ; await delay(250)) {
    // While a deploy is under way nobody answers there.
    const now = await seen(red).catch(() => undefined);
    if (now && fits(now)) return now;
    if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(now)}\n${red.log()}`);
  }
}

describe('a Node-RED whose containers are in trouble', () => {
  const folder = temporaryFolder();
  const image = makeImage({
    layers: [busyboxLayer(), fileLayer({ more: Buffer.alloc(4_000_000, 'more') })],
    config: { Env: ['PATH=/bin'], StopSignal: 'SIGKILL' },
  });
  let registry: FaultyRegistry;
  let ref: string;

  before(async () => {
    registry = await startFaultyRegistry();
    registry.add(image, 'app', '1');
    registry.add(image, 'hangs', '1');
    registry.fault({
      match: { kind: 'manifest', path: '/hangs/' },
      action: { type: 'hang-before-headers' },
      times: Number.POSITIVE_INFINITY,
    });
    ref = `${registry.host}/app:1`;
  });
  after(() => registry.stop());

  /** A node in this trouble is red, the catch node knows why, and the process goes on. */
  async function assertTrouble(red: NodeRedProcess, names: Record<string, RegExp>, seconds: number) {
    const now = await until(red, seconds, ({ errors }) => Object.keys(names).every((name) => errors[name]));
    for (const [name, code] of Object.entries(names)) {
      assert.match(now.errors[name]!.join('\n'), code, name);
      assert.match(now.statuses[name]!.at(-1)!, /^red /, name);
    }
    await delay(1000);
    await seen(red);
    assert.doesNotMatch(red.log(), /Uncaught|Unhandled/i);
  }

  it('says that an image is missing, and lives on', async () => {
    const red = await startNodeRed();
    try {
      await deploy(
        red,
        flowOf([container('missing', `${registry.host}/none:1`), container('nonsense', 'UPPER case')]),
      );
      await assertTrouble(red, { missing: /ERR_IMAGE_NOT_FOUND/, nonsense: /ERR_/ }, 60);
    } finally {
      await red.stop();
    }
  });

  it('waits for a registry that hangs or is not there, says so, and lives on', async () => {
    const red = await startNodeRed();
    try {
      const waiting = ['hanging', 'closed'];
      await deploy(
        red,
        flowOf([container('hanging', `${registry.host}/hangs:1`), container('closed', '127.0.0.1:1/app:1')]),
      );
      const waits = (status?: string) => status === 'yellow waiting for network';
      const now = await until(red, 60, ({ statuses }) =>
        waiting.every((name) => statuses[name]?.some(waits)),
      );
      // It may still come up: that is no error of the flow.
      assert.deepEqual(now.errors, {});
      assert.match(red.log(), /\[warn\] \[deploy-container:hanging\]/);
      assert.match(red.log(), /\[warn\] \[deploy-container:closed\]/);
      assert.doesNotMatch(red.log(), /Uncaught|Unhandled/i);
    } finally {
      await red.stop();
    }
  });

  it('says that the disk is full, and lives on', () =>
    withSmallDisk('4m', async (disk) => {
      const dataDirectory = join(disk.path, 'data');
      const red = await startNodeRed({ garua: { dataDirectory } });
      try {
        await deploy(red, flowOf([container('full', ref)]));
        await assertTrouble(red, { full: /ERR_DISK_FULL/ }, 30);
        disk.resize('40m');
        await deploy(red, flowOf([container('full', ref)], 'again'));
        await until(red, 30, ({ statuses }) => /^green /.test(statuses.full!.at(-1)!));
        await deploy(red, flowOf([]));
      } finally {
        await red.stop();
      }
    }));

  it('says that runc is missing, and lives on', async () => {
    const programs = folder.join('programs');
    mkdirSync(programs);
    symlinkSync('/usr/bin/conmon', join(programs, 'conmon'));
    const { PATH } = process.env;
    let red: NodeRedProcess;
    try {
      process.env.PATH = programs;
      red = await startNodeRed();
    } finally {
      process.env.PATH = PATH;
    }
    try {
      await deploy(red, flowOf([container('no-runc', ref)]));
      await assertTrouble(red, { 'no-runc': /ERR_TOOL_MISSING.*runc|runc.*ERR_TOOL_MISSING/s }, 30);
    } finally {
      await red.stop();
    }
  });

  it('leaves a running container alone while its flow is deployed again and again', async () => {
    const red = await startNodeRed();
    const { dataDirectory: data } = red;
    try {
      await deploy(red, flowOf([container('steady', ref)]));
      await until(red, 30, ({ statuses }) => /^green /.test(statuses.steady?.at(-1) ?? ''));
      const status = async () => garuaJson<ContainerStatus[]>(data, 'ps');
      const [first] = await status();
      assert.equal(first!.state, 'running');
      for (let round = 0; round < REDEPLOYS; round += 1) {
        await deploy(red, flowOf([container('steady', ref)], `change ${round}`));
        // Some deploys come before the one before has settled.
        if (round % 3 === 0) await delay(200);
      }
      await until(red, 30, ({ statuses }) => /^green /.test(statuses.steady!.at(-1)!));
      const after = await status();
      assert.deepEqual(
        after.map(({ name, pid }) => [name, pid]),
        [[first!.name, first!.pid]],
      );
      const { errors } = await seen(red);
      assert.deepEqual(errors, {});
      await deploy(red, flowOf([]));
      for (let attempt = 0; attempt < 100 && (await status()).length > 0; attempt += 1) await delay(100);
      assert.deepEqual(await status(), []);
    } finally {
      for (const { name } of await garuaJson<ContainerStatus[]>(data, 'ps')) {
        await garua(data, 'rm', '--force', name);
      }
      await red.stop();
    }
  });
});
