import { deepEqual, equal, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { consume, Publisher } from '../../../lib/mesh';
import { temporaryFolder } from '../../support/temporary';
import { eventually } from '../support/mesh-process';
import { type Member, openMember } from './support/fog';

describe('a publisher and a consumer on one host', () => {
  const folder = temporaryFolder();
  let host: Member;
  before(async () => {
    host = await openMember(folder.path, 'only');
  });
  after(() => host.close());

  const waiting = async (topic: string) =>
    (await host.messages.queues()).find((queue) => queue.topic === topic)?.waiting;

  it('need no fog, and keep the order', async () => {
    const stop = new AbortController();
    const got: string[] = [];
    const options = { subscriber: 'order', signal: stop.signal };
    const done = consume(host.messages, 'order', options, async ({ body }) => {
      await delay(Number(body) % 3);
      got.push(body);
    });
    await eventually(() => waiting('order'), 0);
    const publisher = new Publisher(async () => host.messages);
    const numbers = Array.from({ length: 200 }, (_, at) => String(at));
    await Promise.all(numbers.map((number) => publisher.publish('order', number)));
    equal(publisher.backlog, 0);
    await eventually(async () => got.length, numbers.length);
    deepEqual(got, numbers);
    await eventually(() => waiting('order'), 0);
    stop.abort();
    await done;
  });

  it('take a message again that could not be taken, and none that was', async () => {
    const position = { queue: '', sequence: 0 };
    const got: string[] = [];
    const options = { subscriber: 'again', signal: AbortSignal.timeout(30_000) };
    const broken = async ({ body }: { body: string }) => {
      if (body === '2') throw new Error('not now');
      got.push(body);
    };
    // Its acknowledgements are lost.
    const deaf = { subscribe: host.messages.subscribe.bind(host.messages), acknowledge: () => delay(1) };
    const first = rejects(consume(deaf as never, 'again', options, broken, position), /not now/);
    await eventually(() => waiting('again'), 0);
    await host.messages.publish('again', ['0', '1', '2']);
    await first;
    equal(await waiting('again'), 3);
    const stop = new AbortController();
    const second = consume(
      host.messages,
      'again',
      { subscriber: 'again', signal: stop.signal },
      ({ body }) => got.push(body),
      position,
    );
    await eventually(() => waiting('again'), 0);
    deepEqual(got, ['0', '1', '2']);
    stop.abort();
    await second;
  });

  it('tell each caller what became of its message', async () => {
    const publisher = new Publisher(async () => host.messages);
    const options = { policy: 'refuse', maximumMessages: 1 } as const;
    const reader = host.messages.subscribe('narrow', { subscriber: 'narrow' })[Symbol.asyncIterator]();
    const first = reader.next();
    await eventually(() => waiting('narrow'), 0);
    const results = await Promise.allSettled(
      ['one', 'two'].map((text) => publisher.publish('narrow', text, options)),
    );
    deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    equal((await first).value.body, 'one');
    await reader.return?.();
    const lost = new Publisher(() => Promise.reject(new Error('no host')));
    await rejects(lost.publish('narrow', 'x'), /no host/);
  });
});
