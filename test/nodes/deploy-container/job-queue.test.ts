import { deepEqual, equal, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { type Job, JobQueue } from '../../../nodes/deploy-container/job-queue';

function job(name: string, kind: 'starts' | 'ends', run: Job['run']): Job {
  return { name, starts: kind === 'starts', ends: kind === 'ends', run };
}

const untilAborted: Job['run'] = async (signal) => {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Error('aborted');
};

describe('JobQueue', () => {
  it('does one job after another, whatever becomes of them', async () => {
    const queue = new JobQueue();
    const order: string[] = [];
    const slow = queue.add(
      job('a', 'starts', async () => {
        await new Promise(setImmediate);
        order.push('slow');
        throw new Error('broken');
      }),
    );
    const quick = queue.add(job('a', 'starts', async () => void order.push('quick')));
    equal(queue.has('a'), true);
    await rejects(slow, /broken/);
    await quick;
    deepEqual(order, ['slow', 'quick']);
    equal(queue.has('a'), false);
  });

  it('lets an ending job cancel the starts of the same container only', async () => {
    const queue = new JobQueue();
    const running = queue.add(job('a', 'starts', untilAborted));
    const waiting = queue.add(job('a', 'starts', async () => {}));
    await new Promise(setImmediate);
    const other = queue.add(job('b', 'starts', async () => {}));
    const seen: boolean[] = [];
    const stop = queue.add(job('a', 'ends', async (_signal, cancelled) => void seen.push(cancelled)));
    await rejects(running, /aborted/);
    await rejects(waiting, { code: 'ERR_ABORTED' });
    await Promise.all([other, stop]);
    deepEqual(seen, [true]);
  });

  it('takes no more than it can hold', async () => {
    const queue = new JobQueue();
    const results = Array.from({ length: 101 }, () => queue.add(job('a', 'starts', untilAborted)));
    await rejects(results.at(-1)!, { code: 'ERR_QUEUE_FULL' });
    const settled = Promise.allSettled(results);
    await queue.close();
    equal(
      (await settled).every(({ status }) => status === 'rejected'),
      true,
    );
  });

  it('takes nothing once closed', async () => {
    const queue = new JobQueue();
    await queue.close();
    await rejects(queue.add(job('a', 'starts', async () => {})), { code: 'ERR_ABORTED' });
  });
});
