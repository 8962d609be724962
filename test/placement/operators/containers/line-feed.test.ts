import { deepEqual, equal } from 'node:assert/strict';
import type { ContainerInput } from '../../../../lib/container';
import { LineFeed } from '../../../../lib/placement/operators/containers/line-feed';
import { eventually } from '../../../mesh/support/mesh-process';

/** A pipe to a program that reads when it is told to. */
class Pipe implements ContainerInput {
  readonly #ended = new AbortController();
  readonly ended = this.#ended.signal;
  readonly lines: string[] = [];
  #bytes = 0;

  constructor(readonly pid: number) {}

  async write(text: string): Promise<void> {
    this.lines.push(text);
    this.#bytes += Buffer.byteLength(text);
  }

  unread(): number {
    return this.ended.aborted ? Number.POSITIVE_INFINITY : this.#bytes;
  }

  read(bytes = this.#bytes): void {
    this.#bytes -= bytes;
  }

  close(): void {
    this.#ended.abort();
  }
}

describe('what is given to a program in a container', () => {
  const feeds: LineFeed[] = [];
  after(() => Promise.all(feeds.map((feed) => feed.close())));

  function start(answered: boolean) {
    const pipes = [new Pipe(1), new Pipe(2)];
    let opened = 0;
    const feed = new LineFeed({ answered, open: async () => pipes[opened++]! });
    feeds.push(feed);
    const done: string[] = [];
    const give = (text: string, source = 'one') =>
      feed.give({ text, id: text, source, done: () => done.push(text) });
    return { feed, pipes: pipes as [Pipe, Pipe], done, give };
  }

  it('is done when it was read, and comes to the next run when it was not', async () => {
    const { feed, pipes, done, give } = start(false);
    for (const text of ['a', 'b', 'c']) give(text);
    await eventually(async () => pipes[0].lines.length, 3, 20_000);
    deepEqual(done, []);
    pipes[0].read(2);
    await eventually(async () => done.join(''), 'ab', 20_000);
    feed.lost(1);
    equal(pipes[1].lines.length, 0);
    feed.lost(2);
    await eventually(async () => pipes[1].lines.join(''), 'c', 20_000);
    pipes[1].read();
    await eventually(async () => done.join(''), 'abc', 20_000);
  });

  it('is done when it was answered, in any order, where answers are waited for', async () => {
    const { feed, pipes, done, give } = start(true);
    for (const text of ['a', 'b', 'c']) give(text);
    await eventually(async () => pipes[0].lines.length, 3, 20_000);
    pipes[0].read();
    feed.answer('b');
    feed.answer('b');
    feed.lost(null);
    await eventually(async () => pipes[1].lines.join(''), 'ac', 20_000);
    feed.answer('c');
    feed.answer('a');
    deepEqual(done, ['b', 'c', 'a']);
    equal(feed.waiting, 0);
  });

  it('can be dropped, for those who give it to others', async () => {
    const { feed, pipes, give } = start(true);
    give('a');
    give('b', 'other');
    await eventually(async () => pipes[0].lines.length, 2, 20_000);
    equal(feed.waitingOf(['other']), 1);
    feed.drop(['other']);
    feed.lost(null);
    await eventually(async () => pipes[1].lines.join(''), 'a', 20_000);
  });
});
