import { deepEqual, ok } from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import { consume, Publisher } from '../../lib/mesh';
import { eventually } from '../mesh/support/mesh-process';
import { spawnGarua } from '../support/garua';
import { temporaryFolder } from '../support/temporary';
import { chance } from './tools';

/** Until the mesh has given a silent host up. */
const SILENCE = 25_000;

/** Between two messages, in ms: few enough that a queue holds all of a silence, and drops none. */
const PAUSE = 5;

/** `garua host` in a process of its own, used through its control socket. */
class Daemon {
  readonly #data: string;
  readonly #name: string;
  #child: ChildProcess | undefined;

  constructor(folder: string, name: string) {
    this.#data = `${folder}/${name}`;
    this.#name = name;
  }

  async start(): Promise<void> {
    const words = ['host', '--name', this.#name, '--site', this.#name, '--listen', '/ip4/127.0.0.1/tcp/0'];
    this.#child = spawnGarua(this.#data, words).child;
    await eventually(() => this.use((host) => host.info().then(({ name }) => name)), this.#name, 40_000);
  }

  host(): Promise<Host> {
    return openHost({ socket: `${this.#data}/garua.sock` });
  }

  async use<T>(work: (host: Host) => Promise<T>): Promise<T> {
    return work(await this.host());
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

/** Publishes numbers one after another, and keeps those that the host has taken. */
class Sender {
  readonly taken: number[] = [];
  readonly #pending = new Set<Promise<void>>();
  #next = 0;
  #running = true;
  readonly #done: Promise<void>;

  constructor(daemon: Daemon, topic: string) {
    const publisher = new Publisher(() => daemon.host());
    this.#done = (async () => {
      while (this.#running) {
        const number = this.#next;
        this.#next += 1;
        const pending = publisher
          .publish(topic, String(number))
          .then(
            () => void this.taken.push(number),
            () => {},
          )
          .finally(() => this.#pending.delete(pending));
        this.#pending.add(pending);
        await delay(PAUSE);
      }
    })();
  }

  /** Ends once it is known of every message whether the host has taken it. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await Promise.all(this.#pending);
  }
}

/** Takes what comes, over all failures of its host. */
class Reader {
  readonly got: number[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(daemon: Daemon, topic: string) {
    const { signal } = this.#stop;
    const position = { queue: '', sequence: 0 };
    this.#done = (async () => {
      while (!signal.aborted) {
        try {
          const options = { subscriber: topic, signal };
          await consume(
            await daemon.host(),
            topic,
            options,
            ({ body }) => this.got.push(Number(body)),
            position,
          );
        } catch {
          await delay(100);
        }
      }
    })();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

describe('messages between two hosts that fail', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  const from = new Daemon(folder.path, 'from');
  const to = new Daemon(folder.path, 'to');

  before(async () => {
    await Promise.all([from.start(), to.start()]);
    await from.use((host) => host.fogCreate());
    const invite = await from.use((host) => host.fogInvite());
    await to.use((host) => host.fogJoin(invite));
  });

  after(() => Promise.all([from.kill(), to.kill()]));

  /** What waits for a topic's subscriber at the sending host. */
  const queue = (topic: string) =>
    from.use(async (host) => (await host.queues()).find((one) => one.topic === topic));

  const subscribed = (topic: string) => eventually(async () => (await queue(topic)) !== undefined, true);

  /** All that was taken has come, in its order and once. */
  async function complete(sender: Sender, reader: Reader): Promise<void> {
    await sender.stop();
    await eventually(
      async () => {
        const got = new Set(reader.got);
        return sender.taken.filter((number) => !got.has(number)).length;
      },
      0,
      60_000,
    );
    deepEqual(
      reader.got,
      [...new Set(reader.got)].sort((a, b) => a - b),
    );
    await reader.stop();
  }

  it('are delivered once and in order when either host is killed, again and again', async () => {
    const random = chance('when hosts are killed');
    const reader = new Reader(to, 'killed');
    await subscribed('killed');
    const sender = new Sender(from, 'killed');
    for (let round = 0; round < 3; round += 1) {
      for (const daemon of [to, from]) {
        const before = reader.got.length;
        await eventually(async () => reader.got.length > before + 50, true, 40_000);
        await delay(random() * 300);
        await daemon.kill();
        await delay(random() * 500);
        await daemon.start();
      }
    }
    await complete(sender, reader);
    ok(sender.taken.length > 300);
  });

  it('wait while a host is silent, and are delivered once when it speaks again', async () => {
    const reader = new Reader(to, 'silent');
    await subscribed('silent');
    const sender = new Sender(from, 'silent');
    await eventually(async () => reader.got.length > 100, true);
    to.signal('SIGSTOP');
    await delay(SILENCE);
    const waiting = (await queue('silent'))!.waiting;
    ok(waiting > 100, `${waiting} wait`);
    to.signal('SIGCONT');
    await complete(sender, reader);
  });

  it('wait for a host that is gone, also when the sending host starts anew meanwhile', async () => {
    const reader = new Reader(to, 'gone');
    await subscribed('gone');
    await to.kill();
    const sender = new Sender(from, 'gone');
    await eventually(async () => sender.taken.length > 200, true);
    await from.kill();
    await from.start();
    await eventually(async () => sender.taken.length > 400, true);
    await to.start();
    await complete(sender, reader);
  });
});
