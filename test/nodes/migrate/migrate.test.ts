import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import { progressText } from '../../../nodes/migrate/progress-text';
import { checkpointOf, moveOf } from '../../../nodes/migrate/settings';
import { watchOf } from '../../../nodes/migrate/watches';
import { describeWithCriu } from '../../container/move/support';
import { eventually } from '../../mesh/support/mesh-process';
import { busyboxLayer, makeImage, writeOciLayout } from '../../support/images';
import { type FlowNode, TestNodeRed } from '../../support/node-red';
import { temporaryFolder } from '../../support/temporary';

const translate = (key: string) => key;

describe('migrate: what a message asks for', () => {
  it('goes before the dialog', () => {
    const dialog = { container: 'box', to: 'ada', mode: 'cold' };
    deepEqual(moveOf(dialog, {}, translate), dialog);
    const message = { container: 'other', host: 'bob', mode: 'live' };
    deepEqual(moveOf(dialog, message, translate), { container: 'other', to: 'bob', mode: 'live' });
    equal(moveOf({ container: 'box', to: 'ada' }, {}, translate).mode, 'live');
  });

  it('is refused when something is missing or unknown', () => {
    throws(() => moveOf({ to: 'ada' }, {}, translate), { message: 'migrate.invalid.container' });
    throws(() => moveOf({ container: 'box' }, {}, translate), { message: 'migrate.invalid.to' });
    const dialog = { container: 'box', to: 'ada' };
    throws(() => moveOf(dialog, { mode: 'fast' }, translate), { code: 'ERR_INVALID_ARGUMENT' });
    throws(() => checkpointOf(dialog, {}, translate), { message: 'migrate.invalid.filename' });
  });

  it('is shown with its progress in under 20 characters', () => {
    const progress = { phase: 'warming up', done: 43, total: 100, unit: 'pages' } as const;
    equal(
      progressText(progress, () => 'memory'),
      'memory 43%',
    );
    equal(
      progressText({ ...progress, total: 0 }, () => 'memory'),
      'memory',
    );
    const long = progressText(progress, () => 'a word that is far too long');
    equal(long.length, 19);
    match(long, / 43%$/);
    const words: Record<string, string> = {
      'migrate.text.round': 'r2',
      'migrate.phase.warming up': 'memory',
    };
    const texts = [40, 800, 12_345, 99_999_999].map((estimatedDowntimeMs) =>
      progressText({ ...progress, round: 2, estimatedDowntimeMs }, (key) => words[key]!),
    );
    deepEqual(texts, ['memory 43% r2 0.1s', 'memory 43% r2 0.8s', 'memory 43% r2 12s', 'memory 43% r2 999s']);
  });
});

describe('migrate: what looks on', () => {
  const view = { self: {}, others: [], containers: [], troubles: [], latencies: {} };
  const state = (watch: ReturnType<typeof watchOf>, change = {}) =>
    watch!.state({ ...view, ...change } as never).word;

  it('is none where messages decide, and refused when it is wrong', () => {
    equal(watchOf({}, translate), undefined);
    equal(watchOf({ when: 'message' }, translate), undefined);
    const faults = [
      [{ when: 'toString' }, 'when'],
      [{ when: 'follow' }, 'container'],
      [{ when: 'balance', high: '120' }, 'number'],
      [{ when: 'balance', high: '50', low: '50' }, 'limits'],
      [{ when: 'evacuate', seconds: 'soon' }, 'number'],
    ] as const;
    for (const [settings, word] of faults) {
      throws(() => watchOf(settings, translate), { message: `migrate.invalid.${word}` });
    }
    throws(() => watchOf({ when: 'room', memory: 'much' }, translate), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('takes what a message says to it, and shows how it is', () => {
    const follow = watchOf({ when: 'follow', container: 'box' }, translate)!;
    deepEqual(
      [follow.take({ user: '192.0.2.7:80' }), follow.user, follow.take({})],
      [true, '192.0.2.7:80', false],
    );
    equal(state(follow), 'lost');
    const evacuate = watchOf({ when: 'evacuate', containers: 'box' }, translate)!;
    const containers = [{ name: 'box', labels: {} }];
    deepEqual([state(evacuate), state(evacuate, { troubles: ['heat'] })], ['watching', 'trouble']);
    deepEqual([evacuate.take({ evacuate: 'yes' }), evacuate.take({ evacuate: true })], [false, true]);
    deepEqual([state(evacuate, { containers }), state(evacuate)], ['leaving', 'empty']);
    const room = watchOf({ when: 'room' }, translate)!;
    deepEqual([room.take({ memory: '64m', priority: 2 }), state(room)], [true, 'room']);
  });
});

describeWithCriu('migrate in Node-RED, between two hosts', function () {
  this.timeout(90_000);
  // Before the folder goes, which is the next hook.
  after(async () => {
    for (const host of Object.values(hosts)) {
      for (const { name } of await host.containers()) await host.remove(name, { force: true, graceMs: 0 });
    }
    for (const host of Object.values(hosts)) await host.close();
  });
  const folder = temporaryFolder();
  const nodeRed = new TestNodeRed();
  const hosts: Record<string, Host> = {};

  const open = async (name: string) => {
    const mesh = { listen: ['/ip4/127.0.0.1/tcp/0'] };
    const all = { dataDirectory: folder.join(name), name, site: name, mesh, supervise: true };
    hosts[name] = await openHost(all);
    return hosts[name];
  };

  before(async () => {
    writeOciLayout(folder.join('stick'), [makeImage({ layers: [busyboxLayer()] })], ['latest']);
    const [here, there] = [await open('here'), await open('there')];
    await here.fogCreate();
    await there.fogJoin(await here.fogInvite());
    await eventually(async () => {
      const sites = await here.sites();
      return sites.flatMap((site) => site.hosts).filter(({ state }) => state === 'up').length;
    }, 2);
  });

  const flow: FlowNode[] = [
    { id: 'tab', type: 'tab' },
    { id: 'host', type: 'fog-host', name: 'here', dataDirectory: folder.join('here') },
    { id: 'host-there', type: 'fog-host', name: 'there', dataDirectory: folder.join('there') },
    { id: 'move', z: 'tab', type: 'migrate', container: 'box', host: 'host', wires: [['seen']] },
    { id: 'seen', z: 'tab', type: 'helper' },
    { id: 'catch', z: 'tab', type: 'catch', x: 1, y: 1, scope: ['move'], wires: [['failed']] },
    { id: 'failed', z: 'tab', type: 'helper' },
  ];
  const soon = {
    z: 'tab',
    type: 'migrate',
    seconds: '0',
    marginMs: '0',
    marginPercent: '0',
    wires: [['seen']],
  };

  it('saves a container to a file, moves it, and tells what went wrong', async () => {
    const object = folder.join('map');
    writeFileSync(object, 'a map');
    const { cid } = await hosts.here!.put(object);
    await hosts.here!.deploy({
      image: `oci:${folder.join('stick')}:latest`,
      name: 'box',
      network: 'none',
      command: ['sh', '-c', 'while :; do sleep 0.1; done'],
      labels: { 'garua.objects': `${cid}, fog:here/nothing` },
    });
    await nodeRed.load(flow);
    const filename = folder.join('box.checkpoint');
    nodeRed.send('move', { mode: 'checkpoint', filename });
    const saved = await nodeRed.message('seen');
    const { size, mode } = statSync(filename);
    deepEqual([(saved.payload as { size: number }).size, mode & 0o777], [size, 0o600]);
    await nodeRed.status('move', /^green dot saved$/);
    nodeRed.send('move', { host: 'nowhere' });
    const failed = await nodeRed.message('failed');
    equal((failed.error as { code?: string; source: object; message: string }).source !== undefined, true);
    await nodeRed.status('move', /^red ring error$/);
    nodeRed.send('move', { host: 'there', keep: 1 });
    const { payload, keep } = await nodeRed.message('seen', (message) => message.keep === 1);
    const result = payload as {
      outcome: string;
      objects: { object: string; size?: number; error?: object }[];
    };
    deepEqual([result.outcome, keep], ['moved', 1]);
    await nodeRed.status('move', /^green dot on there$/);
    equal((await hosts.there!.container('box')).state, 'running');
    deepEqual(await hosts.here!.containers(), []);
    const [there, missing] = result.objects;
    deepEqual([there, missing!.error !== undefined], [{ object: cid, size: 5 }, true]);
    // It came before its container: nothing is to be fetched any more.
    equal((await hosts.there!.get(cid, null)).source, 'nas');
  });

  it('follows a user, and leaves a host that is to be left', async () => {
    const follow = {
      ...soon,
      id: 'follower',
      when: 'follow',
      container: 'box',
      user: 'here',
      host: 'host-there',
    };
    await nodeRed.load([...flow, follow]);
    const followed = await nodeRed.message('seen', ({ payload }) => payload !== null);
    deepEqual([followed.container, followed.host, followed.remaining], ['box', 'here', 0]);
    match(followed.reason as string, /^here is nearer: 0 ms instead of \d+ ms$/);
    await nodeRed.status('follower', /^green dot near: here$/);
    const evacuate = { ...soon, id: 'leaver', when: 'evacuate', host: 'host' };
    await nodeRed.deploy([...flow, evacuate]);
    await nodeRed.status('leaver', /^green dot watching$/);
    nodeRed.send('leaver', { evacuate: true });
    const left = await nodeRed.message('seen', ({ host }) => host === 'there');
    deepEqual(
      [left.reason, (left.payload as { outcome: string }).outcome],
      ['this host is to be left', 'moved'],
    );
    equal((await hosts.there!.container('box')).state, 'running');
    nodeRed.send('leaver', { evacuate: 'perhaps' });
    await nodeRed.status('leaver', /^red ring error$/);
  });
});
