import assert from 'node:assert/strict';
import type { Host } from '../../../lib/host';
import { AdminApi } from '../../../lib/placement';
import { eventually } from '../../mesh/support/mesh-process';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';
import { temporaryFolder } from '../../support/temporary';
import { counter, openFog, PATIENCE, PlacedTestFlow, Returned, range, send } from './operator-fog';

describe('operators of a flow on the hosts of a fog', function () {
  this.timeout(2 * PATIENCE);
  const folder = temporaryFolder();
  let nodeRed: NodeRedProcess;
  let hosts: Host[];
  let owner: string;
  let home: Host;
  const flow = 'flow';
  let placed: PlacedTestFlow;
  let returned: Returned;

  before(async () => {
    nodeRed = await startNodeRed();
    // One Node-RED serves both hosts: what runs there for one must not disturb the other.
    hosts = await openFog(
      ['home', 'quay'],
      (name) => folder.join(name),
      () => nodeRed.url,
    );
    home = hosts[0]!;
    owner = (await home.fog())!.peerId;
    returned = new Returned(home, 'back');
    placed = new PlacedTestFlow(home, flow, []);
  });
  after(async () => {
    await placed?.leave();
    await returned?.end();
    for (const host of hosts ?? []) await host.close();
    await nodeRed?.stop();
  });

  const tabs = () => new AdminApi({ url: nodeRed.url }).operatorTabs();

  it('get what was sent before they were there, and answer', async () => {
    await send(home, owner, flow, 'count', range(0, 10));
    placed.place([counter('count', { topics: ['back'], pin: 'site-home' })]);
    const { instances } = await placed.reaches('count', 'running');
    assert.deepEqual(instances, [{ instance: '1', host: 'home', site: 'site-home', partitions: 1 }]);
    await returned.reach(10);
    assert.deepEqual(returned.numbers, range(0, 10));
  });

  it('move by hand under load with what they know, and lose and repeat nothing', async () => {
    await placed.redeploy([counter('count', { topics: ['back'], allowed: ['site-home', 'site-quay'] })]);
    await placed.reaches('count', 'running');
    const sending = send(home, owner, flow, 'count', range(10, 300));
    await returned.reach(50);
    const { instances } = await home.moveOperator(flow, 'count', 'site-quay');
    assert.deepEqual(
      instances.map(({ site }) => site),
      ['site-quay'],
    );
    await sending;
    await returned.reach(300);
    assert.deepEqual(returned.numbers, range(0, 300));
    assert.deepEqual(
      returned.messages.map(({ count }) => count),
      range(1, 301),
    );
    const moved = placed.events.find((event) => event.type === 'moved');
    assert.ok(moved?.type === 'moved' && moved.to === 'site-quay', JSON.stringify(moved));
    await eventually(async () => (await tabs()).length, 1, PATIENCE);
  });

  it('are replaced where they are by what is deployed, with what they know', async () => {
    await placed.redeploy([counter('count', { topics: ['back'], allowed: ['site-quay'], step: 1000 })]);
    await eventually(
      async () => (await placed.status('count'))?.instances[0]?.instance !== '2',
      true,
      PATIENCE,
    );
    await placed.reaches('count', 'running');
    await send(home, owner, flow, 'count', [300]);
    await returned.reach(301);
    assert.equal(returned.messages[300]!.count, 1300);
  });

  it('say what stands in their way, and are tried again', async () => {
    const rare = counter('rare', { pin: 'site-quay' });
    if (rare.body.kind === 'subflow') rare.body.types.push('rare-node');
    const [count] = placed.flow.operators;
    await placed.redeploy([count!, rare, counter('lost', { pin: 'nowhere' })]);
    const { error } = await placed.reaches('rare', 'failed');
    assert.equal(error?.code, 'ERR_NODE_RED_TYPES_MISSING');
    assert.match(error.message, /rare-node/);
    const lost = await placed.reaches('lost', 'failed');
    assert.equal(lost.error?.code, 'ERR_PLACEMENT_INFEASIBLE');
    assert.equal((await placed.status('count'))?.state, 'running');
    await assert.rejects(home.moveOperator(flow, 'count', 'nowhere'), { code: 'ERR_OPERATOR_MOVE' });
    await assert.rejects(home.scaleOperator(flow, 'count', 2), { code: 'ERR_OPERATOR_MOVE' });
    await assert.rejects(home.moveOperator(flow, 'other', 'site-quay'), { code: 'ERR_OPERATOR_UNKNOWN' });
  });

  it('with keys run as several instances and as one again, the order of each key kept', async () => {
    const keyed = counter('keyed', {
      topics: ['back'],
      keyed: true,
      key: 'key',
      instances: { least: 1, most: 3 },
    });
    await placed.redeploy([keyed]);
    await placed.reaches('keyed', 'running');
    const from = returned.messages.length;
    const keyOf = (n: number) => `key ${n % 7}`;
    const sending = send(home, owner, flow, 'keyed', range(0, 210), keyOf);
    const { instances } = await home.scaleOperator(flow, 'keyed', 3);
    assert.equal(instances.length, 3);
    assert.equal(
      instances.reduce((sum, { partitions }) => sum + partitions, 0),
      64,
    );
    assert.equal((await home.scaleOperator(flow, 'keyed', 1)).instances.length, 1);
    await sending;
    await returned.reach(from + 210);
    const numbers = returned.numbers.slice(from);
    for (const key of range(0, 7)) {
      assert.deepEqual(
        numbers.filter((n) => n % 7 === key),
        range(0, 210).filter((n) => n % 7 === key),
      );
    }
    await eventually(async () => (await tabs()).length, 1, PATIENCE);
  });

  it('leave nothing behind', async () => {
    await placed.leave();
    await home.removeFlow(flow);
    assert.deepEqual(await home.operators(), []);
    assert.deepEqual(await tabs(), []);
    for (const host of hosts) {
      const left = (await host.roaming()).filter(({ waiting }) => waiting > 0);
      assert.deepEqual(left, []);
    }
  });
});
