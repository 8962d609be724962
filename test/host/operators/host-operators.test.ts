import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Host } from '../../../lib/host';
import { AdminApi } from '../../../lib/placement';
import { eventually } from '../../mesh/support/mesh-process';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';
import { temporaryFolder } from '../../support/temporary';
import { counter, openFog, PATIENCE, PlacedTestFlow, Returned, range, send } from './operator-fog';

/** An Admin API that does nothing but refuse. */
async function refuse(answer: { status: number | undefined }): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    if (answer.status === undefined) request.socket.destroy();
    else response.writeHead(answer.status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

describe('operators of a flow on the hosts of a fog', function () {
  this.timeout(2 * PATIENCE);
  const folder = temporaryFolder();
  let nodeRed: NodeRedProcess;
  /** What the Admin API at the hill answers; nothing when it hangs up. */
  const answer: { status: number | undefined } = { status: undefined };
  let refusing: { url: string; close(): void };
  let hosts: Host[];
  let owner: string;
  let home: Host;
  const flow = 'flow';
  let placed: PlacedTestFlow;
  let returned: Returned;

  before(async () => {
    nodeRed = await startNodeRed();
    refusing = await refuse(answer);
    // One Node-RED serves two hosts: what runs there for one must not disturb the other.
    hosts = await openFog(
      ['home', 'quay', 'hill'],
      (name) => folder.join(name),
      (name) => (name === 'hill' ? refusing.url : nodeRed.url),
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
    refusing?.close();
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

  it('say that an Admin API wants a token, refuses, or is not there, and go elsewhere', async () => {
    const statuses = async (nodeRedAnswer: number | undefined) => {
      answer.status = nodeRedAnswer;
      const id = `at-${nodeRedAnswer ?? 'none'}`;
      await placed.redeploy([placed.flow.operators[0]!, counter(id, { allowed: ['site-hill'] })]);
      return (await placed.reaches(id, 'failed')).error?.code;
    };
    assert.equal(await statuses(401), 'ERR_NODE_RED_UNAUTHORIZED');
    assert.equal(await statuses(400), 'ERR_NODE_RED_REFUSED');
    assert.equal(await statuses(undefined), 'ERR_NODE_RED_UNREACHABLE');
    await placed.redeploy([
      placed.flow.operators[0]!,
      counter('elsewhere', { allowed: ['site-hill', 'site-quay'] }),
    ]);
    const { instances } = await placed.reaches('elsewhere', 'running');
    assert.deepEqual(
      instances.map(({ site }) => site),
      ['site-quay'],
    );
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
