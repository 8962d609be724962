import assert from 'node:assert/strict';
import type { FlowEvent, FlowOwner, PlacedFlow, PlacedOperator } from '../../../../lib/placement';
import { counter } from '../../../host/operators/operator-fog';
import { eventually } from '../../../mesh/support/mesh-process';
import { ownerOf, StandInHost } from './owner-fog';

const PATIENCE = 30_000;
const FLOW = 'flow';

const flowOf = (operators: PlacedOperator[]): PlacedFlow => ({
  ...{ id: FLOW, operators, weights: { latency: 1, traffic: 0 }, everySeconds: 0.2 },
});

/** Keeps a flow as its Node-RED does. */
class Kept {
  readonly events: FlowEvent[] = [];
  readonly #stop = new AbortController();
  readonly done: Promise<void>;

  constructor(owner: FlowOwner, operators: PlacedOperator[]) {
    this.done = (async () => {
      const events = owner.placeFlow(flowOf(operators), { signal: this.#stop.signal });
      for await (const event of events) this.events.push(event);
    })();
    this.done.catch(() => {});
  }

  async leave(): Promise<void> {
    this.#stop.abort();
    await this.done.catch(() => {});
  }
}

describe('the owner of flows', () => {
  let home: StandInHost;
  let quay: StandInHost;
  let hosts: StandInHost[];
  let owner: FlowOwner;
  let kept: Kept | undefined;

  beforeEach(() => {
    [home, quay] = [new StandInHost('home'), new StandInHost('quay')];
    hosts = [home, quay];
    owner = ownerOf(hosts);
  });
  afterEach(async () => {
    await kept?.leave();
    await owner.close();
  });

  const stateOf = async (id: string) =>
    (await owner.operators()).find(({ operator }) => operator === id)?.state;
  const isRunning = (id: string) => eventually(() => stateOf(id), 'running', PATIENCE);

  it('starts what is on record again where its host has lost it', async () => {
    kept = new Kept(owner, [counter('count', { pin: 'quay' })]);
    await isRunning('count');
    const [instance] = [...quay.running];
    const [[subscriber, epoch]] = [...quay.holds] as [[string, number]];
    quay.running.clear();
    quay.holds.clear();
    await eventually(async () => quay.running.has(instance!), true, PATIENCE);
    await eventually(async () => quay.holds.get(subscriber)! > epoch, true, PATIENCE);
    await isRunning('count');
  });

  it('goes on with all others where one operator cannot be begun anew, nor ended', async () => {
    kept = new Kept(owner, [counter('one', { pin: 'quay' }), counter('gone', { pin: 'quay' })]);
    await isRunning('one');
    await isRunning('gone');
    quay.isUp = false;
    await kept.leave();
    const keyed = { keyed: true, key: 'key', instances: { least: 1, most: 2 } };
    kept = new Kept(owner, [counter('one', { pin: 'home', ...keyed }), counter('two', { pin: 'home' })]);
    await isRunning('two');
    const one = (await owner.operators()).find(({ operator }) => operator === 'one');
    assert.equal(one?.error?.code, 'ERR_MESH_UNREACHABLE');
    quay.isUp = true;
    await isRunning('one');
    await eventually(async () => quay.running.size, 0, PATIENCE);
  });

  it('gives what a host held to others when it has left the fog', async () => {
    kept = new Kept(owner, [
      counter('count', { allowed: ['quay', 'home'] }),
      counter('pinned', { pin: 'quay' }),
    ]);
    await isRunning('count');
    await owner.moveOperator(FLOW, 'count', 'quay');
    hosts.splice(hosts.indexOf(quay), 1);
    await eventually(
      async () => [...home.running].map((name) => name.split('/')[2]).join(),
      'count',
      PATIENCE,
    );
    await isRunning('count');
    await kept.leave();
    await owner.removeFlow(FLOW);
    assert.deepEqual(await owner.operators(), []);
    assert.equal(home.running.size, 0);
  });

  it('lets one Node-RED keep a flow, and the next when that has left', async () => {
    kept = new Kept(owner, [counter('count', { pin: 'home' })]);
    await isRunning('count');
    const second = new Kept(owner, []);
    await assert.rejects(second.done, { code: 'ERR_OPERATOR_FLOW_TAKEN' });
    assert.equal(await stateOf('count'), 'running');
    const third = new Kept(owner, [counter('other', { pin: 'home' })]);
    await kept.leave();
    await isRunning('other');
    await third.leave();
  });

  it('ends at once though a host does not answer', async () => {
    kept = new Kept(owner, [counter('count', { pin: 'quay' })]);
    await isRunning('count');
    quay.isSilent = true;
    const before = quay.calls;
    await eventually(async () => quay.calls > before, true, PATIENCE);
    const since = performance.now();
    await owner.close();
    assert.ok(performance.now() - since < 5_000);
  });
});
