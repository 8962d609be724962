/**
 * Works with a store until it is told to stop or is killed; says on its output what it has done, in lines that
 * are written before the next step begins.
 *
 * `node store-work.js TASK DATA NAS [PORT] [ARGUMENTS...]`; see `TASKS`.
 */
import { writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '../../../lib/store';
import { patternBytes } from '../../store/support/bytes';
import { openStore, readAll } from '../../store/support/stores';
import { TcpProvider } from '../../store/support/wire';

function say(...words: (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

const TASKS: Record<string, (store: ObjectStore, words: string[]) => Promise<void>> = {
  /** Puts objects of these sizes: `put SIZE...`. */
  async put(store, sizes) {
    for (const [seed, size] of sizes.entries()) {
      const { cid } = await store.put(patternBytes(Number(size), seed + 1));
      say('put', cid, seed + 1, size);
    }
  },

  /** Gets objects: `get CID...`. */
  async get(store, cids) {
    for (const cid of cids) {
      const bytes = await readAll(await store.get(cid));
      say('got', cid, bytes.length);
    }
  },

  /** Waits until it is told to go on before the store is opened. */
  'new-put': (store, sizes) => TASKS.put!(store, sizes),

  /** Waits when the store has been used. */
  async 'ready-put'(store, sizes) {
    await makeReady(store);
    await TASKS.put!(store, sizes);
  },

  async 'ready-get'(store, cids) {
    await makeReady(store);
    await TASKS.get!(store, cids);
  },

  /** Puts small and large objects for a time: `write SECONDS SEED`. */
  async write(store, [seconds, seed]) {
    let count = 0;
    for (const end = Date.now() + Number(seconds) * 1000; Date.now() < end; count += 1) {
      // Every third one is one that the other writers put as well.
      const same = count % 3 === 0;
      const size = same ? 400_000 : [5, 70_000, 300_000, 1_500_000][count % 4]!;
      const { cid } = await store.put(patternBytes(size, same ? count + 1 : Number(seed) * 1e6 + count));
      say('put', cid, size);
    }
  },

  /** Collects again and again, which evicts all that may go: `collect SECONDS`. */
  async collect(store, [seconds]) {
    for (const end = Date.now() + Number(seconds) * 1000; Date.now() < end; ) {
      const { evicted } = await store.gc();
      for (const cid of evicted) say('evicted', cid);
      await delay(5);
    }
  },

  /** Tries to put, beside an event loop that has to go on: `stuck`. */
  async stuck(store) {
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    const failure = await store.put(patternBytes(3_000_000)).then(
      () => 'nothing',
      (error) => error.code as string,
    );
    say('failed', failure, Math.round(loop.max / 1e6));
    // Without a close: the process has to end although its thread hangs.
    process.exit(7);
  },

  /** Puts or gets a large object and says by how much the memory has grown: `large-put BYTES`. */
  async 'large-put'(store, [bytes]) {
    await store.put(patternBytes(2_000_000));
    const peak = watchMemory();
    const { cid } = await store.put(zeros(Number(bytes)));
    say('large', cid, peak());
  },

  async 'large-get'(store, [small, cid]) {
    await drain(store, small!);
    const peak = watchMemory();
    say('large', await drain(store, cid!), peak());
  },
};

/** So that no thread is made later. */
async function makeReady(store: ObjectStore): Promise<void> {
  await Promise.all([100, 101, 102].map((seed) => store.put(patternBytes(10, seed))));
  await toldToGoOn();
}

async function toldToGoOn(): Promise<void> {
  say('ready');
  for await (const _nothing of process.stdin);
}

async function drain(store: ObjectStore, cid: string): Promise<number> {
  let size = 0;
  for await (const chunk of await store.get(cid)) size += chunk.length;
  return size;
}

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(1 << 20);
  for (let left = bytes; left > 0; left -= chunk.length)
    yield chunk.subarray(0, Math.min(left, chunk.length));
}

/** Answers how far the resident memory has risen over what it was, in MB. */
function watchMemory(): () => number {
  const start = process.memoryUsage.rss();
  let highest = start;
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, 20);
  return () => {
    clearInterval(timer);
    return Math.round((highest - start) / 1e6);
  };
}

async function main([task, data, nas, port, ...words]: string[]): Promise<void> {
  const providers = port === '0' ? [] : [new TcpProvider('server', Number(port))];
  // Only what waits for a NAS that hangs is to wait no longer: a busy disk takes its time.
  const limits = { nasMs: task === 'stuck' ? 1500 : 30_000, evictionGraceMs: 400, blockMs: 20_000 };
  const quota = task === 'collect' ? { site: 0 } : {};
  if (task!.startsWith('new-')) await toldToGoOn();
  const store = await openStore({ dataDirectory: data!, nas: nas!, writer: data!, providers, limits, quota });
  await TASKS[task!]!(store, words);
  await store.close();
  say('done');
}

main(process.argv.slice(2)).catch((error) => {
  say('error', error.code ?? '', error.stack);
  process.exit(1);
});
