import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { Ring } from '../../../lib/image/pipeline/ring';
import { PipelineWorker, PipelineWorkerError, WorkerPool } from '../../../lib/image/pipeline/worker-pool';
import { temporaryFolder } from '../../support/temporary';

describe('WorkerPool', () => {
  const folder = temporaryFolder();

  it('runs jobs in order and passes their errors on with code and hint', async () => {
    const pool = new WorkerPool();
    mkdirSync(folder.join('a/b'), { recursive: true });
    writeFileSync(folder.join('a/b/c'), 'x');
    await pool.run({ kind: 'remove', paths: [folder.join('a')] });
    assert.ok(!existsSync(folder.join('a')));
    const job = {
      kind: 'pump',
      source: { file: folder.join('none') },
      decompress: false,
      sinks: [],
    } as const;
    await assert.rejects(pool.run({ ...job, sinks: [] }), /ENOENT/);
    const full = { ...job, source: { file: '/dev/zero' }, sinks: [{ file: '/dev/full' }] };
    await assert.rejects(pool.run(full), { code: 'ERR_DISK_FULL' });
    await pool.close();
  });

  it('uses a thread again', async () => {
    const pool = new WorkerPool();
    const first = pool.take();
    pool.giveBack(first);
    assert.equal(pool.take(), first);
    assert.notEqual(pool.take(), first);
    await pool.close();
    assert.ok(!first.alive);
  });

  it('replaces a thread that has run many jobs, after the last of them', async () => {
    const pool = new WorkerPool();
    const worker = pool.take();
    const jobs = Array.from({ length: 40 }, () => worker.run({ kind: 'remove', paths: [] }));
    assert.ok(worker.worn);
    pool.giveBack(worker);
    assert.notEqual(pool.take(), worker);
    await Promise.all(jobs);
    await pool.close();
    assert.ok(!worker.alive);
  });

  it('gives a typed error for every job of a thread that ends', async () => {
    const worker = new PipelineWorker();
    const ring = Ring.create(64);
    const job = {
      kind: 'pump' as const,
      source: { ring: ring.handle, reader: 0 },
      decompress: false,
      sinks: [],
    };
    // Both wait for a writer that does not exist.
    const jobs = [worker.run(job), worker.run(job)];
    await worker.terminate();
    for (const waiting of jobs) await assert.rejects(waiting, PipelineWorkerError);
    await assert.rejects(worker.run(job), PipelineWorkerError);
  });
});
