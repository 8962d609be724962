import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import { consume, Publisher } from '../../lib/mesh';
import { AdminApi, inputTopic } from '../../lib/placement';
import { decodeMessage, encodeMessage } from '../../nodes/fog-messages';
import { counter, PATIENCE, PlacedTestFlow } from '../host/operators/operator-fog';
import { eventually } from '../mesh/support/mesh-process';
import { spawnGarua } from '../support/garua';
import { type NodeRedProcess, startNodeRed } from '../support/node-red-process';
import { temporaryFolder } from '../support/temporary';
import { chance } from './tools';

const FLOW = 'flow';
const BACK = 'back';
/** Between two messages, in ms. */
const PAUSE = 10;

/** `garua host` in a process of its own. */
class Daemon {
  readonly name: string;
  readonly #data: string;
  readonly #nodeRed: string;
  #child: ChildProcess | undefined;

  constructor(folder: string, name: string, nodeRed: string) {
    this.name = name;
    this.#data = `${folder}/${name}`;
    this.#nodeRed = nodeRed;
  }

  async start(): Promise<Host> {
    const words = ['host', '--name', this.name, '--site', `site-${this.name}`, '--node-red', this.#nodeRed];
    this.#child = spawnGarua(this.#data, [...words, '--listen', '/ip4/127.0.0.1/tcp/0']).child;
    await eventually(async () => (await (await this.host()).info()).name, this.name, PATIENCE);
    return this.host();
  }

  host(): Promise<Host> {
    return openHost({ socket: `${this.#data}/garua.sock` });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

interface Heard {
  payload: number;
  count: number;
}

/** Sends numbers to an operator through its home, and hears what comes back, whatever becomes of that host. */
class Traffic {
  readonly taken: number[] = [];
  readonly heard: Heard[] = [];
  readonly #stop = new AbortController();
  readonly #pending = new Set<Promise<void>>();
  readonly #done: Promise<unknown>;
  #isSending = true;

  constructor(home: Daemon, input: string) {
    this.#done = Promise.all([this.#send(home, input), this.#hear(home)]);
  }

  /** Sends no more, and resolves when all that was taken has come back. */
  async settle(): Promise<void> {
    this.#isSending = false;
    await eventually(async () => this.#pending.size, 0, PATIENCE);
    const missing = async () => {
      const heard = new Set(this.heard.map(({ payload }) => payload));
      return this.taken.filter((number) => !heard.has(number)).length;
    };
    await eventually(missing, 0, PATIENCE);
    await delay(500);
  }

  async end(): Promise<void> {
    this.#isSending = false;
    this.#stop.abort();
    await this.#done.catch(() => {});
  }

  async #send(home: Daemon, input: string): Promise<void> {
    await (await home.host()).expectSubscriber(input, input);
    const publisher = new Publisher(() => home.host());
    for (let number = 0; this.#isSending; number += 1) {
      const pending = encodeMessage({ payload: number })
        .then(({ text }) => publisher.publish(input, text))
        .then(
          () => void this.taken.push(number),
          () => {},
        )
        .finally(() => this.#pending.delete(pending));
      this.#pending.add(pending);
      await delay(PAUSE);
    }
  }

  async #hear(home: Daemon): Promise<void> {
    const { signal } = this.#stop;
    const position = { queue: '', sequence: 0 };
    while (!signal.aborted) {
      const take = async ({ body }: { body: string }) =>
        void this.heard.push((await decodeMessage(body)) as never);
      const options = { subscriber: 'test', retained: false, signal };
      await home
        .host()
        .then((host) => consume(host, BACK, options, take, position))
        .catch(() => {});
      await delay(100, undefined, { signal }).catch(() => {});
    }
  }
}

describe('operators whose hosts are killed while they move', function () {
  this.timeout(3 * PATIENCE);
  const folder = temporaryFolder();
  let nodeRed: NodeRedProcess;
  let daemons: Record<'home' | 'quay' | 'pier', Daemon>;
  let placed: PlacedTestFlow;
  let traffic: Traffic;
  const operator = (step = 1) =>
    counter('count', { topics: [BACK], allowed: ['site-quay', 'site-pier'], step });

  before(async () => {
    nodeRed = await startNodeRed();
    const make = (name: string) => new Daemon(folder.path, name, nodeRed.url);
    daemons = { home: make('home'), quay: make('quay'), pier: make('pier') };
    const [home, quay, pier] = await Promise.all(Object.values(daemons).map((daemon) => daemon.start()));
    await home!.fogCreate();
    const invite = await home!.fogInvite({ uses: 2 });
    await quay!.fogJoin(invite);
    await pier!.fogJoin(invite);
    const up = async () =>
      (await home!.sites()).flatMap(({ hosts }) => hosts.filter(({ state }) => state === 'up'));
    await eventually(async () => (await up()).length, 3, PATIENCE);
    placed = new PlacedTestFlow(home!, FLOW, []);
    placed.place([operator()]);
    await placed.reaches('count', 'running');
    traffic = new Traffic(daemons.home, inputTopic((await home!.fog())!.peerId, FLOW, 'count'));
    await eventually(async () => traffic.heard.length > 0, true, PATIENCE);
  });
  after(async () => {
    await traffic?.end();
    await placed?.leave();
    for (const daemon of Object.values(daemons ?? {})) await daemon.kill();
    await nodeRed?.stop();
  });

  const site = async () => (await placed.status('count'))!.instances[0]!.site;

  /** Where it is, the operator goes to the other site; the victim dies so long after that began. */
  async function moveAndKill(victim: 'home' | 'source' | 'target', milliseconds: number): Promise<void> {
    const [source, target] =
      (await site()) === 'site-quay' ? [daemons.quay, daemons.pier] : [daemons.pier, daemons.quay];
    const { home } = daemons;
    const moving = (await home.host()).moveOperator(FLOW, 'count', `site-${target.name}`).catch(() => {});
    await delay(milliseconds);
    const killed = { home, source, target }[victim];
    await killed.kill();
    await killed.start();
    if (victim === 'home') {
      // As its Node-RED does.
      await placed.leave();
      placed = new PlacedTestFlow(await home.host(), FLOW, placed.flow.operators);
      placed.place();
    }
    await moving;
    await placed.reaches('count', 'running');
    const heard = traffic.heard.length;
    await eventually(async () => traffic.heard.length > heard, true, PATIENCE);
  }

  it('lose and repeat nothing, and one instance is alive', async () => {
    // The steps of a move are tested one by one beside the owner; here the processes are real.
    const random = chance('operators');
    for (const victim of ['source', 'target', 'home'] as const) await moveAndKill(victim, 150 * random());
  });

  it('go on when all flows of Node-RED start anew, and when they are deployed during a move', async () => {
    const { flows, rev } = await new AdminApi({ url: nodeRed.url }).flows();
    const answer = await fetch(`${nodeRed.url}flows`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'node-red-api-version': 'v2',
        'node-red-deployment-type': 'reload',
      },
      body: JSON.stringify({ flows, rev }),
    });
    assert.equal(answer.status, 200);
    const other = (await site()) === 'site-quay' ? 'site-pier' : 'site-quay';
    const moving = (await daemons.home.host()).moveOperator(FLOW, 'count', other).catch(() => {});
    await placed.redeploy([operator(2)]);
    await moving;
    const step = async () => {
      const [before, last] = traffic.heard.slice(-2) as [Heard, Heard];
      return last.count - before.count;
    };
    await eventually(step, 2, PATIENCE);
    await placed.reaches('count', 'running');
  });

  it('have handled each message once, in its order', async () => {
    await traffic.settle();
    const first = new Map<number, Heard>();
    const wrong = traffic.heard.filter(({ payload, count }) => {
      const before = first.get(payload);
      if (!before) first.set(payload, { payload, count });
      // A host that is killed before it has said that it took a result gets it again: the operator worked once.
      return before !== undefined && before.count !== count;
    });
    assert.deepEqual(wrong, []);
    const order = [...first.keys()];
    assert.deepEqual(
      order,
      order.toSorted((one, other) => one - other),
    );
    await eventually(
      async () => (await new AdminApi({ url: nodeRed.url }).operatorTabs()).length,
      1,
      PATIENCE,
    );
  });
});
