import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeMessage } from '../../../../nodes/fog-messages';
import { type Content, Door, type Handed, isMark, Route } from '../../../../nodes/fog-port';

let topics = 0;

/** The hosts between the ends of a topic: they bring each message later, in its order. */
class Hosts {
  readonly brought: Content[] = [];
  readonly topic: string;
  /** While it is cut, what is published waits. */
  isCut = false;
  #waiting: { content: Content; resolve: (bytes: number) => void }[] = [];
  #to: (content: Content, body: string) => void;

  constructor(to: (content: Content, body: string) => void) {
    topics += 1;
    this.topic = `topic ${topics}`;
    this.#to = to;
  }

  publish = (content: Content): Promise<number> =>
    new Promise((resolve) => {
      this.#waiting.push({ content, resolve });
      setImmediate(() => this.bring());
    });

  async bring(): Promise<void> {
    if (this.isCut) return;
    for (const { content, resolve } of this.#waiting.splice(0)) {
      resolve(10);
      const { text } = await encodeMessage(content);
      if (!isMark(text)) this.brought.push(content);
      this.#to(content, text);
    }
  }
}

/** Both ends of a topic; the receiver takes as many messages as there is room for. */
function ends({ room = Number.POSITIVE_INFINITY } = {}) {
  const got: unknown[] = [];
  const taken: Handed[] = [];
  const state = { room };
  const hosts = new Hosts((content, body) => {
    if (!door.passes(body)) got.push(content.n);
  });
  const door = new Door(hosts.topic, (message) => {
    if (state.room === 0) return false;
    state.room -= 1;
    got.push(message.content.n);
    taken.push(message);
    message.done();
    return true;
  });
  const done: unknown[] = [];
  const route = new Route({ topic: hosts.topic, publish: hosts.publish });
  const send = (n: number, more: object = {}) => route.send({ n, ...more }, (error) => done.push(error ?? n));
  return { got, taken, state, hosts, door, done, route, send };
}

async function until(fits: () => boolean): Promise<void> {
  for (let turn = 0; !fits(); turn += 1) {
    assert.ok(turn < 10_000, 'it never came to that');
    await nextTurn();
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

/** Sends the first message, and waits until the way inside the process is open. */
async function open(both: ReturnType<typeof ends>): Promise<void> {
  both.send(0);
  await until(() => both.got.length === 1);
  both.send(1);
  await until(() => both.got.length === 2);
  both.send(2);
  assert.equal(both.taken.at(-1)?.content.n, 2, 'it was handed over');
}

describe('the way of messages inside a process', () => {
  it('is taken once all that was sent by way of the hosts is there, in the order of sending', async () => {
    const both = ends();
    for (const n of range(0, 5)) both.send(n);
    await nextTurn();
    for (const n of range(5, 200)) {
      both.send(n);
      if (n % 20 === 0) await nextTurn();
    }
    await until(() => both.got.length === 200);
    assert.deepEqual(both.got, range(0, 200));
    assert.deepEqual(
      both.done.toSorted((one, other) => Number(one) - Number(other)),
      range(0, 200),
    );
    assert.ok(both.taken.length > 150, `${both.taken.length} were handed over`);
    both.door.close();
  });

  it('is left for the hosts when the door closes, and what waits goes first', async () => {
    const both = ends();
    await open(both);
    both.state.room = 0;
    for (const n of range(3, 10)) both.send(n);
    assert.equal(both.door.waiting, 7);
    both.door.close();
    for (const n of range(10, 15)) both.send(n);
    await until(() => both.got.length === 15);
    assert.deepEqual(both.got, range(0, 15));
    assert.deepEqual(both.hosts.brought.map(({ n }) => n).slice(-12), range(3, 15));
  });

  it('gives back what the owner of the door had taken and not handled, before what waits', async () => {
    const both = ends();
    await open(both);
    both.state.room = 0;
    for (const n of range(4, 6)) both.send(n);
    const { content, ...rest } = both.taken.at(-1)!;
    both.door.close([{ ...rest, content: { ...content, n: 3 } }]);
    both.send(6);
    await until(() => both.got.length === 7);
    assert.deepEqual(both.got, range(0, 7));
  });

  it('may be taken again after an interruption, by another mark', async () => {
    const both = ends();
    await open(both);
    both.door.interrupt();
    const before = both.hosts.brought.length;
    both.send(3);
    await until(() => both.got.length === 4);
    assert.equal(both.hosts.brought.length, before + 1);
    both.send(4);
    await until(() => both.got.length === 5);
    both.send(5);
    assert.deepEqual(both.got, range(0, 6));
    assert.equal(both.hosts.brought.length, before + 1);
    both.door.close();
  });

  it('is left when the door closes while a mark is on its way', async () => {
    const both = ends();
    both.hosts.isCut = true;
    for (const n of range(0, 10)) both.send(n);
    both.door.close();
    for (const n of range(10, 12)) both.send(n);
    both.hosts.isCut = false;
    await until(() => {
      void both.hosts.bring();
      return both.got.length === 12;
    });
    assert.deepEqual(both.got, range(0, 12));
    assert.equal(both.taken.length, 0);
  });

  it('is left while too much waits at the door', async () => {
    const both = ends();
    await open(both);
    both.state.room = 0;
    const count = 6_000;
    for (const n of range(3, count)) both.send(n);
    await until(() => both.got.length === count);
    assert.deepEqual(both.got, range(0, count));
    assert.equal(both.door.waiting, 0);
    both.door.close();
  });

  it('lets others have their turn: what waits goes on as there is room', async () => {
    const both = ends();
    await open(both);
    both.state.room = 0;
    for (const n of range(3, 13)) both.send(n);
    both.state.room = 100;
    both.door.pump(4);
    assert.equal(both.door.waiting, 6);
    both.door.pump(100);
    assert.deepEqual(both.got, range(0, 13));
    both.door.close();
  });

  it('ends with the sender: what waits goes by way of the hosts', async () => {
    const both = ends();
    await open(both);
    both.state.room = 0;
    for (const n of range(3, 6)) both.send(n);
    both.route.close();
    assert.equal(both.door.waiting, 0);
    await until(() => both.got.length === 6);
    both.send(6);
    await until(() => both.got.length === 7);
    assert.deepEqual(both.got, range(0, 7));
    both.door.close();
  });

  it('takes no connection along, and tells what a message weighs', async () => {
    const both = ends();
    await open(both);
    both.send(3, { req: { socket: {} }, res: {}, payload: 'kept' });
    assert.deepEqual(Object.keys(both.taken.at(-1)!.content), ['n', 'payload']);
    assert.equal(both.taken.at(-1)!.bytes, 10);
    both.door.close();
  });

  it('says what failed', async () => {
    const failure = new Error('no disk');
    const route = new Route({ topic: 'nobody', publish: () => Promise.reject(failure) });
    const error = await new Promise((resolve) => route.send({ n: 1 }, resolve));
    assert.equal(error, failure);
  });
});
