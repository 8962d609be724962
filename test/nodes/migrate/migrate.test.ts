import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import { progressText } from '../../../nodes/migrate/progress-text';
import { moveOf } from '../../../nodes/migrate/settings';
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
  });
});

describeWithCriu('migrate in Node-RED, between two hosts', function () {
  this.timeout(120_000);
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
    ...[{ id: 'move', z: 'tab', type: 'migrate', container: 'box', host: 'host', wires: [['seen']] }],
    { id: 'seen', z: 'tab', type: 'helper' },
    { id: 'catch', z: 'tab', type: 'catch', x: 1, y: 1, scope: ['move'], wires: [['failed']] },
    { id: 'failed', z: 'tab', type: 'helper' },
  ];

  it('moves a container, and tells what went wrong', async () => {
    await hosts.here!.deploy({
      image: `oci:${folder.join('stick')}:latest`,
      name: 'box',
      network: 'none',
      command: ['sh', '-c', 'while :; do sleep 0.1; done'],
    });
    await nodeRed.load(flow);
    nodeRed.send('move', { host: 'nowhere' });
    const failed = await nodeRed.message('failed');
    equal((failed.error as { code?: string; source: object; message: string }).source !== undefined, true);
    await nodeRed.status('move', /^red ring error$/);
    nodeRed.send('move', { host: 'there', keep: 1 });
    const { payload, keep } = await nodeRed.message('seen');
    const result = payload as { outcome: string; downtimeMs: number };
    deepEqual([result.outcome, keep], ['moved', 1]);
    await nodeRed.status('move', /^green dot on there$/);
    equal((await hosts.there!.container('box')).state, 'running');
    deepEqual(await hosts.here!.containers(), []);
  });
});
