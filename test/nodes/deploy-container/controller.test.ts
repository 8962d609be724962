import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { GaruaError } from '../../../lib/base';
import type { ContainerStatus } from '../../../lib/container';
import type { Message } from '../../../nodes/deploy-container/container-view';
import { Controller } from '../../../nodes/deploy-container/controller';
import { ownership } from '../../../nodes/deploy-container/ownership';
import { type DeployContainerDef, readSettings } from '../../../nodes/deploy-container/settings';
import { HostPool } from '../../../nodes/fog-host/host-pool';
import { translatorOf } from '../../support/node-red';
import { MemoryHost } from '../memory-host';

/** One node on a host in memory, with what it showed and sent. */
function makeNode(host: MemoryHost, definition: Partial<DeployContainerDef> = {}, place = 'node') {
  const lease = new HostPool(async () => host.asHost()).acquire({ dataDirectory: '/memory' });
  const [shown, sent, lines, warnings]: [string[], Message[], Message[], string[]] = [[], [], [], []];
  const full = { id: 'n', type: 'deploy-container', z: 't', name: 'web', image: 'busybox', ...definition };
  const controller = new Controller(
    readSettings(full, 'made-up'),
    { ...lease, options: { dataDirectory: '/memory' }, registryAccess: () => ({ insecure: true }) },
    {
      place,
      status: ({ text }) => shown.push(text ?? ''),
      send: ([state, line]) => {
        if (state) sent.push(state);
        if (line) lines.push(line);
      },
      translate: translatorOf('deploy-container'),
      warn: (key, values) => warnings.push(`${key} ${Object.values(values)}`),
      property: (message, path) => message[path],
    },
  );
  const states = () => sent.map(({ topic, payload }) => `${topic} ${(payload as { state?: string }).state}`);
  return { controller, shown, sent, lines, warnings, states };
}

const aborted = { code: 'ERR_ABORTED' };

describe('Controller', () => {
  afterEach(() => {
    for (const place of ['node', 'other']) ownership.delete(place);
  });

  it('deploys when the flow starts', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    deepEqual(host.calls, ['deploy web']);
    deepEqual(host.deployOptions[0]!.insecure, true);
    deepEqual(node.states(), ['web running']);
    deepEqual(node.shown, ['resolving', 'running']);
    await node.controller.close(false);
    equal(host.closed, true);
    equal(host.states.get('web')!.state, 'running');
  });

  it('scales what it has deployed, counts what is ready, and removes all of it', async () => {
    const host = new MemoryHost();
    const node = makeNode(host, { service: 'web', replicas: '2', sites: 'home, shop' });
    await node.controller.start();
    deepEqual(node.shown.at(-1), '1/2 ready');
    deepEqual((node.sent[0]!.scale as { replicas: number }).replicas, 2);
    host.change('web', { ...host.states.get('web')!, health: 'healthy' });
    await delay(20);
    deepEqual(node.shown.at(-1), '1/2 ready');
    await node.controller.input({ replicas: 3 });
    await node.controller.input({ replicas: 1 });
    deepEqual(node.shown.at(-1), 'healthy');
    await rejects(node.controller.input({ replicas: 0.5 }), { code: 'ERR_INVALID_ARGUMENT' });
    await node.controller.input({ action: 'remove' });
    deepEqual(
      host.calls.filter((call) => !call.startsWith('deploy')),
      ['scale web 2 home,shop', 'scale web 3 home,shop', 'scale web 1 home,shop', 'scale web 0'],
    );
    await node.controller.close(true);
  });

  it('gives its instances elsewhere up once none are asked for', async () => {
    const host = new MemoryHost();
    const node = makeNode(host, { service: 'web' });
    await node.controller.input({ replicas: 2 });
    await node.controller.input({});
    await node.controller.input({});
    await rejects(makeNode(host, {}, 'other').controller.input({ replicas: 2 }), {
      code: 'ERR_INVALID_ARGUMENT',
    });
    deepEqual(
      host.calls.filter((call) => call.startsWith('scale')),
      ['scale web 2', 'scale web 1'],
    );
    await node.controller.close(false);
  });

  it('waits for a network that is not up yet, and says so once', async () => {
    const host = new MemoryHost();
    host.failure = new GaruaError('ERR_REGISTRY_UNREACHABLE', 'registry cannot be reached', '');
    const node = makeNode(host);
    const started = node.controller.start({ first: 5, longest: 10 });
    while (host.calls.length < 4) await delay(5);
    equal(node.shown.includes('waiting for network'), true);
    host.failure = undefined;
    await started;
    deepEqual([node.states(), node.shown.at(-1)], [['web running'], 'running']);
    deepEqual(node.warnings, ['warning.network web,registry cannot be reached']);
    await node.controller.close(false);
  });

  it('waits no longer once a message comes, or the flow ends', async () => {
    for (const end of ['message', 'close'] as const) {
      const host = new MemoryHost();
      host.failure = new GaruaError('ERR_CONTROL_UNREACHABLE', 'nobody there', '');
      const node = makeNode(host);
      const started = node.controller.start({ first: 60_000, longest: 60_000 });
      while (!node.shown.includes('waiting for host')) await delay(5);
      if (end === 'message') {
        await rejects(node.controller.input({}), { code: 'ERR_CONTROL_UNREACHABLE' });
      }
      await node.controller.close(false);
      await started;
      equal(host.calls.length, end === 'message' ? 2 : 1);
    }
  });

  it('does not wait for what does not pass', async () => {
    const host = new MemoryHost();
    host.failure = new GaruaError('ERR_IMAGE_NOT_FOUND', 'no such image', '');
    const node = makeNode(host);
    await rejects(node.controller.start(), { code: 'ERR_IMAGE_NOT_FOUND' });
    await node.controller.close(false);
  });

  it('tells of health, restarts and a removal by somebody else', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    const running = host.states.get('web')!;
    const news = [
      { health: 'starting' },
      { health: 'healthy' },
      { health: 'unhealthy', reason: 'liveness probe: no answer' },
      { state: 'restarting', restarts: 1 },
    ] as const;
    for (const change of news) host.change('web', { ...running, ...change });
    host.change('web', { state: 'running', restarts: 2, health: 'healthy' });
    await delay(20);
    deepEqual(node.shown.slice(2), ['starting', 'healthy', 'unhealthy', 'restarting 2', 'healthy']);
    deepEqual((node.sent.at(-1)!.payload as ContainerStatus).restarts, 2);
    host.change('web', { ...host.states.get('web')!, state: 'removed' });
    host.change('web', { ...host.states.get('web')!, state: 'removed' });
    await delay(20);
    equal(node.shown.at(-1), 'removed');
    deepEqual(
      node.sent.slice(-1).map(({ payload }) => payload),
      [{ name: 'web', removed: true }],
    );
    equal(node.sent.length, 1 + news.length + 1 + 1);
    await node.controller.close(false);
  });

  it('takes the removal of what it has replaced for no news', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    const before = host.states.get('web')!;
    await node.controller.input({ env: { NEW: 1 } });
    host.events.emit('change', { ...before, state: 'removed' });
    await delay(20);
    deepEqual([node.shown.at(-1), node.sent.length], ['running', 2]);
    await node.controller.close(false);
  });

  it('tells what a container uses, and changes nothing by it', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    await node.controller.input({ action: 'stats', colour: 'kept' });
    const { topic, payload, colour } = node.sent.at(-1)!;
    deepEqual([topic, (payload as { name: string }).name, colour], ['web', 'web', 'kept']);
    equal(node.shown.at(-1), 'running');
    deepEqual(host.calls, ['deploy web']);
    await rejects(node.controller.input({ action: 'stats', name: 'nobody' }), {
      code: 'ERR_CONTAINER_NOT_FOUND',
    });
    await node.controller.close(false);
  });

  it('waits for a message when told so', async () => {
    const host = new MemoryHost();
    const node = makeNode(host, { start: false });
    await node.controller.start();
    deepEqual(host.calls, []);
    await node.controller.input({ payload: 1, _msgid: 'x', pull: 'of an earlier node', colour: 'red' });
    equal(node.sent[0]!.colour, 'red');
    equal(node.sent[0]!._msgid, 'x');
    equal('pull' in node.sent[0]!, false);
    await node.controller.close(false);
  });

  it('does what messages ask for', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    for (const action of ['stop', 'start', 'restart', 'status', 'remove']) {
      await node.controller.input({ action });
    }
    deepEqual(host.calls, ['deploy web', 'stop web', 'start web', 'stop web', 'start web', 'remove web']);
    deepEqual(node.states(), [
      'web running',
      'web stopped',
      'web running',
      'web running',
      'web running',
      'web undefined',
    ]);
    deepEqual(node.sent.at(-1)!.payload, { name: 'web', removed: true });
    equal(node.shown.at(-1), 'removed');
    await rejects(node.controller.input({ action: 'status' }), { code: 'ERR_CONTAINER_NOT_FOUND' });
    await node.controller.close(false);
  });

  it('tells of a container that dies or is started by somebody else, once', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    host.change('web', { state: 'failed', exitCode: 137 });
    host.change('stranger', { state: 'running' });
    await delay(20);
    equal(node.shown.at(-1), 'failed (137)');
    host.change('web', { state: 'running' });
    await delay(20);
    deepEqual(node.states(), ['web running', 'web failed', 'web running']);
    await node.controller.close(false);
  });

  it('tells of a death right after the deploy', async () => {
    const host = new MemoryHost();
    const node = makeNode(host, { start: false });
    await delay(20);
    const deployed = node.controller.input({});
    await delay(5);
    host.change('web', { state: 'failed', exitCode: 1 });
    await deployed;
    await delay(20);
    deepEqual(node.states(), ['web running', 'web failed']);
    await node.controller.close(false);
  });

  it('shows a container that is there already, without a message', async () => {
    const host = new MemoryHost();
    host.change('web', { state: 'running' });
    const node = makeNode(host, { start: false });
    await node.controller.start();
    await delay(20);
    deepEqual([node.shown, node.sent], [['running'], []]);
    await node.controller.close(false);
  });

  it('serialises deploys, and lets stop and remove cut them short', async () => {
    const host = new MemoryHost();
    host.gate = new Promise(() => {});
    const node = makeNode(host, { start: false });
    const first = node.controller.input({});
    const second = node.controller.input({});
    await delay(300);
    deepEqual(host.calls, ['deploy web']);
    match(node.shown.join(), /pulling 43%/);
    const ended = Promise.all([rejects(first, aborted), rejects(second, aborted)]);
    await node.controller.input({ action: 'stop' });
    await ended;
    deepEqual(host.calls, ['deploy web', 'stop web']);
    deepEqual(node.sent.at(-1)!.payload, { name: 'web', removed: true });
    await node.controller.close(false);
  });

  it('cancels what is under way when the flow stops', async () => {
    const host = new MemoryHost();
    host.gate = new Promise(() => {});
    const node = makeNode(host);
    const started = rejects(node.controller.start(), aborted);
    await delay(20);
    await node.controller.close(false);
    await started;
    equal(host.closed, true);
  });

  it('looks after several containers by msg.name', async () => {
    const host = new MemoryHost();
    const node = makeNode(host);
    await node.controller.start();
    await node.controller.input({ name: 'second', env: { A: 1 } });
    host.change('web', { state: 'failed', exitCode: 1 });
    await delay(20);
    deepEqual(node.states(), ['web running', 'second running', 'web failed']);
    equal(node.shown.at(-1), 'running');
    await node.controller.close(true);
    deepEqual([...host.states.keys()], []);
  });

  it('warns once about what only the dialog can set', async () => {
    const node = makeNode(new MemoryHost());
    for (let count = 0; count < 3; count += 1) {
      await node.controller.input({ mounts: [{ source: '/', target: '/host' }] });
    }
    deepEqual(node.warnings, ['warning.ignored msg.mounts']);
    await node.controller.close(false);
  });

  it('keeps the container of a deleted node when told so, or when another node has it too', async () => {
    const host = new MemoryHost();
    const keeping = makeNode(host, { removeOnDelete: false });
    await keeping.controller.start();
    await keeping.controller.close(true);
    const [one, copy] = [makeNode(host), makeNode(host, {}, 'other')];
    deepEqual(copy.warnings, ['warning.name-shared web']);
    await Promise.all([one.controller.start(), copy.controller.start()]);
    await copy.controller.close(true);
    deepEqual([...host.states.keys()], ['web']);
    await one.controller.close(true);
    deepEqual([...host.states.keys()], []);
  });

  it('sends log lines from the beginning of a new life, and only once', async () => {
    const host = new MemoryHost();
    const node = makeNode(host, { logs: true });
    await node.controller.start();
    await delay(20);
    const time = new Date().toISOString();
    host.events.emit('line web', { text: 'hello', stream: 'stderr', time });
    await delay(20);
    deepEqual(node.lines, [{ topic: 'web', payload: 'hello', stream: 'stderr', time }]);
    await node.controller.close(false);
    const again = makeNode(host, { logs: true });
    await again.controller.start();
    await delay(20);
    deepEqual(
      host.calls.filter((call) => call.startsWith('logs')),
      ['logs web all', 'logs web since'],
    );
    await again.controller.close(false);
  });

  it('shows an error in red, with a short word', async () => {
    const host = new MemoryHost();
    host.failure = Object.assign(new Error('no room'), { code: 'ENOSPC', path: '/var' });
    const node = makeNode(host, { start: false });
    await rejects(node.controller.input({}));
    node.controller.showError(host.failure);
    equal(node.shown.at(-1), 'disk full');
    await node.controller.close(false);
  });
});
