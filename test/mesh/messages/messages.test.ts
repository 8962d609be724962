import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { temporaryFolder } from '../../support/temporary';
import { eventually } from '../support/mesh-process';
import { Listener, type Member, openMember, subscribers } from './support/fog';

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => String(from + at));

describe('messages between three hosts', () => {
  const folder = temporaryFolder();
  let [a, b, c] = [] as unknown as [Member, Member, Member];

  before(async () => {
    [a, b, c] = await Promise.all([
      openMember(folder.path, 'a'),
      openMember(folder.path, 'b'),
      openMember(folder.path, 'c'),
    ]);
    await a.mesh.createFog();
    await b.mesh.join(await a.mesh.invite());
    await c.mesh.join(await a.mesh.invite());
    for (const { mesh } of [a, b, c]) {
      await eventually(async () => mesh.hosts().filter(({ state }) => state === 'up').length, 3);
    }
  });

  after(() => Promise.all([a, b, c].map((member) => member.close())));

  const waiting = async ({ messages }: Member, topic: string) =>
    (await messages.queues())
      .filter((queue) => queue.topic === topic)
      .reduce((sum, one) => sum + one.waiting, 0);

  it('go to all subscribers of the topic, with where they come from, and are gone once acknowledged', async () => {
    const listeners = [new Listener(b, 'one'), new Listener(c, 'two'), new Listener(a, 'here')];
    for (const listener of listeners) listener.open('greetings');
    const other = new Listener(b, 'other').open('something else');
    await subscribers(a, 'greetings', 3);
    const result = await a.messages.publish('greetings', 'hello');
    deepEqual([result.subscribers, result.dropped], [3, 0]);
    for (const listener of listeners) await eventually(async () => listener.texts, 'hello');
    const [message] = listeners[0]!.got;
    deepEqual(
      [message!.host, message!.site, message!.peerId, message!.topic, message!.retained],
      ['a', 'a-site', a.mesh.peerId, 'greetings', false],
    );
    ok(Math.abs(message!.time - Date.now()) < 60_000);
    for (const member of [a, b, c]) await eventually(() => waiting(member, 'greetings'), 0);
    equal(other.got.length, 0);
    for (const listener of [...listeners, other]) await listener.close();
    equal(a.database.prepare('SELECT count(*) FROM message').pluck().get(), 0);
  });

  it('come in their order, those of several senders too', async () => {
    const listener = new Listener(c, 'counter').open('count');
    await subscribers(a, 'count', 1);
    await subscribers(b, 'count', 1);
    const sent = numbers(500);
    await Promise.all([
      ...sent.map((text) => a.messages.publish('count', text)),
      b.messages.publish('count', sent),
    ]);
    await eventually(async () => listener.got.length, 1000);
    for (const { mesh } of [a, b]) {
      const own = listener.got.filter(({ peerId }) => peerId === mesh.peerId);
      deepEqual(
        own.map(({ body }) => body),
        sent,
      );
    }
    await listener.close();
  });

  it('wait for a subscriber that is away, and come again until they are acknowledged', async () => {
    const first = new Listener(b, 'sleeper').open('dreams', { acknowledge: false });
    await subscribers(a, 'dreams', 1);
    await a.messages.publish('dreams', ['1', '2']);
    await eventually(async () => first.texts, '1 2');
    await first.close();
    await a.messages.publish('dreams', '3');
    await eventually(() => waiting(b, 'dreams'), 3);
    const second = new Listener(b, 'sleeper').open('dreams');
    await eventually(async () => second.texts, '1 2 3');
    deepEqual(second.got.slice(0, 2), first.got);
    await eventually(() => waiting(b, 'dreams'), 0);
    await second.close();
  });

  it('are kept when asked, for subscribers that come later, the newest only', async () => {
    await a.messages.publish('state', ['old', 'on'], { retain: true });
    await c.messages.publish('state', 'off', { retain: true });
    const late = new Listener(c, 'late').open('state');
    await eventually(async () => late.got.at(-1)?.body, 'off');
    deepEqual(
      late.got.map(({ body, retained }) => [body, retained]),
      [['off', true]],
    );
    const elsewhere = new Listener(b, 'elsewhere').open('state');
    await eventually(async () => elsewhere.got.at(-1)?.body, 'off');
    ok(!elsewhere.texts.includes('old'));
    const uninterested = new Listener(b, 'uninterested').open('state', { retained: false });
    await subscribers(a, 'state', 3);
    await a.messages.publish('state', 'on again', { retain: true });
    await eventually(async () => uninterested.texts, 'on again');
    await eventually(async () => late.texts, 'off on again');
    for (const listener of [late, elsewhere, uninterested]) await listener.close();
  });

  it('are kept no longer once their topic is forgotten', async () => {
    await a.messages.publish('mode', 'night', { retain: true });
    await a.messages.forgetQueue({ topic: 'mode' });
    const listener = new Listener(a, 'asks').open('mode');
    await subscribers(a, 'mode', 1);
    await a.messages.publish('mode', 'day');
    await eventually(async () => listener.texts, 'day');
    await listener.close();
  });

  it('of 16 MB pass, larger ones are refused', async () => {
    const listener = new Listener(b, 'large').open('large');
    await subscribers(a, 'large', 1);
    const text = 'ä'.repeat(8 << 20);
    await a.messages.publish('large', text);
    await eventually(async () => listener.got.length, 1);
    ok(listener.got[0]!.body === text);
    await rejects(a.messages.publish('large', `${text}.`), { code: 'ERR_MESH_MESSAGE_TOO_LARGE' });
    await listener.close();
  });

  it('wait in queues that are bounded, by the publisher’s policy', async () => {
    const listener = new Listener(a, 'slow').open('much', { acknowledge: false });
    await subscribers(a, 'much', 1);
    await a.messages.publish('much', numbers(5), { maximumMessages: 5 });
    const oldest = await a.messages.publish('much', '5', { maximumMessages: 5 });
    const newest = await a.messages.publish('much', '6', { maximumMessages: 5, policy: 'drop-newest' });
    deepEqual([oldest.dropped, newest.dropped], [1, 1]);
    await rejects(a.messages.publish('much', '7', { maximumBytes: 300, policy: 'refuse' }), {
      code: 'ERR_MESSAGES_QUEUE_FULL',
    });
    // One that can never fit makes no room.
    const endless = await a.messages.publish('much', 'x'.repeat(1000), { maximumBytes: 1000 });
    equal(endless.dropped, 1);
    await rejects(a.messages.publish('much', 'x'.repeat(1000), { maximumBytes: 1000, policy: 'refuse' }), {
      code: 'ERR_MESH_MESSAGE_TOO_LARGE',
    });
    await listener.close();
    const again = new Listener(a, 'slow').open('much');
    await eventually(async () => again.texts, '1 2 3 4 5');
    const [queue] = (await a.messages.queues()).filter(({ topic }) => topic === 'much');
    deepEqual([queue!.dropped, queue!.from, queue!.to, queue!.subscriber], [3, 'a', 'a', 'slow']);
    await again.close();
  });

  it('hold their sender back when a subscriber does not keep up, and no others', async () => {
    const slow = new Listener(b, 'full').open('flood', { acknowledge: false });
    const quick = new Listener(b, 'quick').open('flood');
    await subscribers(a, 'flood', 2);
    const sent = numbers(5_000);
    for (let at = 0; at < sent.length; at += 1000) {
      await a.messages.publish('flood', sent.slice(at, at + 1000), { maximumMessages: 20_000 });
    }
    await eventually(async () => quick.got.length, sent.length, 40_000);
    const inbox = (await b.messages.queues()).find(({ subscriber }) => subscriber === 'full')!;
    ok(inbox.waiting >= 4_000 && inbox.waiting < 5_000, `${inbox.waiting} wait`);
    await slow.close();
    const again = new Listener(b, 'full').open('flood');
    await eventually(async () => again.got.length, sent.length, 40_000);
    deepEqual(
      again.got.map(({ body }) => body),
      sent,
    );
    for (const listener of [quick, again]) await listener.close();
  });

  it('are forgotten with their queue, and their subscriber by all', async () => {
    const listener = new Listener(b, 'leaving').open('parting');
    await subscribers(a, 'parting', 1);
    await listener.close();
    await rejects(b.messages.forgetQueue({}), { code: 'ERR_INVALID_ARGUMENT' });
    const [forgotten] = await b.messages.forgetQueue({ topic: 'parting' });
    equal(forgotten!.subscriber, 'leaving');
    await subscribers(a, 'parting', 0);
    equal((await a.messages.publish('parting', 'to nobody')).subscribers, 0);
  });

  it('follow a subscriber to its new topic', async () => {
    const before = new Listener(b, 'mover').open('street');
    await subscribers(a, 'street', 1);
    const after = new Listener(b, 'mover').open('avenue');
    await before.close();
    await subscribers(a, 'avenue', 1);
    await subscribers(a, 'street', 0);
    await a.messages.publish('avenue', 'here');
    await eventually(async () => after.texts, 'here');
    await after.close();
  });

  it('refuse names and limits that cannot be', async () => {
    const invalid = { code: 'ERR_INVALID_ARGUMENT' };
    await rejects(a.messages.publish('', 'x'), invalid);
    await rejects(a.messages.publish('a\nb', 'x'), invalid);
    await rejects(a.messages.publish('t', 1 as never), invalid);
    await rejects(a.messages.publish('t', 'x', { maximumMessages: 0 }), invalid);
    await rejects(a.messages.publish('t', 'x', { policy: 'keep' as never }), invalid);
    await rejects(a.messages.subscribe('t', { subscriber: '' })[Symbol.asyncIterator]().next(), invalid);
  });

  it('wait no longer for a host that is shut out', async () => {
    const listener = new Listener(c, 'outcast').open('secrets');
    await subscribers(a, 'secrets', 1);
    await listener.close();
    await a.mesh.revoke('c');
    await subscribers(a, 'secrets', 0);
    equal((await a.messages.publish('secrets', 'not for c')).subscribers, 0);
  });
});
