/**
 * Pulls again and again in one process, so that idle threads end in between; every third pull is given up in
 * the middle, and threads are also ended while they inflate. `node pull-often.js DATA REF ROUNDS PAUSE_MS LAYER`
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LocalHost } from '../../../lib/host';
import { Ring } from '../../../lib/image/pipeline/ring';
import { WorkerPool } from '../../../lib/image/pipeline/worker-pool';

async function main([data, ref, rounds, pause, layer]: string[]): Promise<void> {
  const host = await LocalHost.open({ dataDirectory: data });
  for (let round = 0; round < Number(rounds); round += 1) {
    const signal = round % 3 === 2 ? AbortSignal.timeout(Math.round(20 + Math.random() * 300)) : undefined;
    await host.pull(ref!, { signal }).catch((error) => {
      if (error.code !== 'ERR_ABORTED') throw error;
    });
    // Over the idle time of the threads, with a busy heap, as Node-RED has it.
    for (const end = Date.now() + Number(pause); Date.now() < end; await delay(50)) litter();
    await endWhileBusy(layer!);
    await host.prune();
  }
  await host.close();
  process.stdout.write('done\n');
}

/** Ends threads at any moment of their work. */
async function endWhileBusy(layer: string): Promise<void> {
  const pool = new WorkerPool();
  const jobs = [0, 1].map(() => {
    const ring = Ring.create(1 << 20);
    const read = { ring: ring.handle, reader: 0 };
    return pool
      .run({ kind: 'pump', source: { file: layer }, decompress: true, sinks: [{ sha256: true }] })
      .then(() => pool.run({ kind: 'pump', source: read, decompress: true, sinks: [{ sha256: true }] }));
  });
  await Promise.race([delay(Math.random() * 150), Promise.allSettled(jobs)]);
  await pool.close();
  await Promise.allSettled(jobs);
}

function litter(): number {
  return Array.from({ length: 2000 }, (_, index) => ({ index, text: `${index}` })).length;
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
