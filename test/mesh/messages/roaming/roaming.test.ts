import { deepEqual, equal, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryFolder } from '../../../support/temporary';
import { eventually } from '../../support/mesh-process';
import { Listener, type Member, openMember, subscribers } from '../support/fog';

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => String(from + at));

describe('a subscriber that roams among three hosts', () => {
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

  const known = async ({ messages }: Member, subscriber: string) =>
    (await messages.roaming()).find((one) => one.subscriber === subscriber);
  const state = async (member: Member, subscriber: string) => (await known(member, subscriber))?.state;
  const waiting = async (member: Member, subscriber: string) => (await known(member, subscriber))?.waiting;

  /** Moves it, under the next epoch. */
  async function move(subscriber: string, from: Member, to: Member, epoch: number): Promise<void> {
    await from.messages.handOff(subscriber);
    await to.messages.takeOver(subscriber, { from: from.mesh.peerId, epoch });
    await from.messages.releaseSubscriber(subscriber);
  }

  it('gets what was published before any host held it', async () => {
    await a.messages.expectSubscriber('early', 'bird');
    await a.messages.publish('early', ['1', '2']);
    deepEqual([await state(a, 'bird'), await waiting(a, 'bird')], ['nowhere', 2]);
    await c.messages.roam('early', { subscriber: 'bird', epoch: 1 });
    const listener = new Listener(c, 'bird').open('early');
    await eventually(async () => listener.texts, '1 2');
    await eventually(() => waiting(a, 'bird'), 0);
    deepEqual([await state(a, 'bird'), (await known(a, 'bird'))?.peerId], ['elsewhere', c.mesh.peerId]);
    await listener.close();
  });

  it('takes what waits along, and loses and repeats nothing while all hosts publish', async () => {
    const name = 'traveller';
    await a.messages.roam('trip', { subscriber: name, epoch: 1 });
    for (const member of [b, c]) await eventually(() => state(member, name), 'elsewhere');
    const senders = [a, b, c];
    let publishing = true;
    const sent = senders.map(() => 0);
    const publishers = senders.map(async ({ messages }, at) => {
      while (publishing) {
        const batch = numbers(10, sent[at]!);
        sent[at]! += batch.length;
        await messages.publish('trip', batch, { maximumMessages: 1e6 });
        await delay(20);
      }
    });
    const got: { from: string; body: string }[] = [];
    let holder = a;
    let epoch = 1;
    for (const next of [b, c, a, a, c]) {
      const listener = new Listener(holder, name).open('trip');
      await eventually(async () => listener.got.length > 100, true);
      await listener.close();
      got.push(...listener.got.map(({ peerId, body }) => ({ from: peerId, body })));
      // The next holder hands it out.
      await delay(50);
      epoch += 1;
      if (next === holder) {
        await holder.messages.handOff(name);
        await delay(50);
        await holder.messages.takeBack(name, { epoch });
      } else await move(name, holder, next, epoch);
      holder = next;
    }
    publishing = false;
    await Promise.all(publishers);
    const last = new Listener(holder, name).open('trip');
    const total = sent.reduce((sum, count) => sum + count);
    await eventually(async () => got.length + last.got.length >= total, true, 30_000);
    await last.close();
    got.push(...last.got.map(({ peerId, body }) => ({ from: peerId, body })));
    senders.forEach(({ mesh }, at) => {
      const own = got.filter(({ from }) => from === mesh.peerId).map(({ body }) => body);
      deepEqual(own, numbers(sent[at]!));
    });
    for (const member of senders) await eventually(() => waiting(member, name), 0);
  });

  it('is not handed out any more where it was, and refuses who comes too late', async () => {
    await a.messages.roam('post', { subscriber: 'clerk', epoch: 3 });
    await eventually(() => state(b, 'clerk'), 'elsewhere');
    await rejects(b.messages.roam('post', { subscriber: 'clerk', epoch: 3 }), {
      code: 'ERR_ROAMING_OUTDATED',
    });
    await rejects(b.messages.handOff('clerk'), { code: 'ERR_ROAMING_NOT_HERE' });
    const takeOver = { from: 'a', epoch: 4 };
    await rejects(b.messages.takeOver('clerk', takeOver), { code: 'ERR_ROAMING_NOT_HERE' });
    const before = new Listener(a, 'clerk').open('post', { acknowledge: false });
    await b.messages.publish('post', '1');
    await eventually(async () => before.texts, '1');
    await a.messages.handOff('clerk');
    await a.messages.handOff('clerk');
    await before.close();
    await rejects(a.messages.subscribe('post', { subscriber: 'clerk' })[Symbol.asyncIterator]().next(), {
      code: 'ERR_ROAMING_NOT_HERE',
    });
    await a.messages.publish('post', '2');
    deepEqual([await state(a, 'clerk'), await waiting(a, 'clerk')], ['handed-off', 1]);
    await b.messages.takeOver('clerk', takeOver);
    await b.messages.takeOver('clerk', takeOver);
    await eventually(async () => (await known(a, 'clerk'))?.epoch, 4);
    await rejects(a.messages.takeBack('clerk', { epoch: 4 }), { code: 'ERR_ROAMING_OUTDATED' });
    await a.messages.releaseSubscriber('clerk');
    await a.messages.releaseSubscriber('clerk');
    const after = new Listener(b, 'clerk').open('post');
    await eventually(async () => after.texts, '1 2');
    await after.close();
  });

  it('is forgotten by all', async () => {
    await a.messages.roam('end', { subscriber: 'ghost', epoch: 1 });
    await eventually(() => state(b, 'ghost'), 'elsewhere');
    await a.messages.forgetQueue({ subscriber: 'ghost' });
    await eventually(() => state(b, 'ghost'), undefined);
    equal((await b.messages.publish('end', 'x')).subscribers, 0);
    await rejects(b.messages.roam('end', { subscriber: 'ghost', epoch: 1 }), {
      code: 'ERR_ROAMING_OUTDATED',
    });
    await b.messages.roam('end', { subscriber: 'ghost', epoch: 5 });
    await eventually(() => state(a, 'ghost'), 'elsewhere');
    await b.messages.forgetQueue({ subscriber: 'ghost' });
  });

  it('moves with a full queue, large messages too', async () => {
    await a.messages.roam('load', { subscriber: 'lorry', epoch: 1 });
    const large = 'x'.repeat(5 << 20);
    await a.messages.publish('load', [...numbers(1500), large]);
    await move('lorry', a, c, 2);
    const listener = new Listener(c, 'lorry').open('load');
    await eventually(async () => listener.got.length, 1501, 30_000);
    deepEqual(listener.got.map(({ body }) => body).slice(0, -1), numbers(1500));
    equal(listener.got.at(-1)!.body.length, large.length);
    await listener.close();
    await subscribers(a, 'load', 1);
  });
});
