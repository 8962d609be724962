import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patternBytes } from '../store/support/bytes';
import { openStore, readAll, TestSite } from '../store/support/stores';
import { killAtCall, type Threads } from './killing-tracer';
import { leftoversIn, objectsIn, startWork } from './store-tools';

/** Kinds of steps that are gone through at a time: most of a turn is waiting. */
const LANES = 3;
/** More steps of one kind than any task has. */
const MOST = 100;
/** One block; several pieces. */
const SIZES = [100_000, 2_600_000];

/** A task that is done again and again, each time killed at a later step of one kind. */
interface Kind {
  task: 'put' | 'get';
  /** Steps count from its first start on, or from when it has been used. */
  since: 'new' | 'ready';
  threads: Threads;
  step: string;
  /** How far the next step is, where not every one is looked at. */
  stride?: (count: number) => number;
  /** Kills that there are at least. */
  least: number;
}

/** The 32 folders of a new store are made in one go. */
const fewerFolders = (count: number) => (count > 9 ? 12 : 1);
/** For one change SQLite writes several pages, each in two pieces, to its log: a third hits every change. */
const everyThird = () => 3;

const KINDS: Kind[] = [
  ...(['put', 'get'] as const).flatMap((task): Kind[] => [
    { task, since: 'ready', threads: 'main', step: 'pwrite64', stride: everyThird, least: 8 },
    { task, since: 'ready', threads: 'others', step: 'pwrite64', least: 3 },
    { task, since: 'ready', threads: 'others', step: 'fsync', least: 2 },
    { task, since: 'ready', threads: 'others', step: 'rename', least: 1 },
  ]),
  { task: 'put', since: 'new', threads: 'all', step: 'mkdir', stride: fewerFolders, least: 9 },
  { task: 'put', since: 'new', threads: 'all', step: 'fsync', least: 4 },
  { task: 'put', since: 'new', threads: 'all', step: 'rename', least: 1 },
  { task: 'put', since: 'new', threads: 'all', step: 'link', least: 1 },
  { task: 'put', since: 'new', threads: 'all', step: 'unlink', least: 1 },
];

describe('a store whose process is killed at every step', () => {
  const folder = mkdtempSync(join(tmpdir(), 'garua-test-'));
  const objects = new Map<string, Buffer>();
  let server: TestSite;

  before(async () => {
    // What a killed process leaves does not depend on the disk: one in memory is quicker.
    execFileSync('mount', ['-t', 'tmpfs', 'garua-faults', folder]);
    // Written by a process that ends by itself; all others then start quicker.
    process.env.NODE_COMPILE_CACHE = join(folder, 'compiled');
    mkdirSync(join(folder, 'nas'));
    assert.equal(await startWork(['put', join(folder, 'data'), join(folder, 'nas'), 0, 10]).ended, 0);
    server = await TestSite.open('server', { dataDirectory: join(folder, 'server') });
    for (const [index, size] of SIZES.entries()) {
      const bytes = patternBytes(size, index + 1);
      objects.set((await server.store.put(bytes)).cid, bytes);
    }
  });
  after(async () => {
    delete process.env.NODE_COMPILE_CACHE;
    await server?.close();
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  });

  /** Does the task until it is killed, then looks at what is there; answers whether it was killed. */
  async function killed({ task, since, threads, step }: Kind, count: number): Promise<boolean> {
    const at = `${since} ${task} killed at ${step} ${count} of ${threads}`;
    const own = join(folder, at.replaceAll(' ', '-'));
    const [data, nas] = [join(own, 'data'), join(own, 'nas')];
    mkdirSync(nas, { recursive: true });
    const port = task === 'put' ? 0 : server.port;
    const work = startWork([
      `${since}-${task}`,
      data,
      nas,
      port,
      ...(task === 'put' ? SIZES : objects.keys()),
    ]);
    await work.said('ready');
    await killAtCall(work.child.pid!, threads, step, count);
    work.child.stdin!.end();
    const status = await work.ended;
    assert.ok(status === 0 || status === 'SIGKILL', `${at}: ${status} ${work.lines}`);
    const acknowledged = work.lines.filter(([word]) => word === 'put' || word === 'got');
    await look(
      data,
      nas,
      acknowledged.map(([, cid]) => cid!),
      at,
    );
    rmSync(own, { recursive: true });
    return status !== 0;
  }

  async function look(data: string, nas: string, acknowledged: string[], at: string): Promise<void> {
    const there = existsSync(join(nas, 'garua/site.json')) ? objectsIn(nas) : [];
    for (const cid of acknowledged)
      assert.ok(there.includes(cid), `${at}: an acknowledged object is not there`);
    const store = await openStore({
      dataDirectory: data,
      nas,
      providers: [server.provider()],
      limits: { haveMs: 20_000, blockMs: 20_000 },
    });
    try {
      for (const cid of new Set([...there, ...objects.keys()])) {
        const object = await store.get(cid);
        const bytes = await readAll(object);
        // What is under its final name is whole, and so is what is done once more.
        if (there.includes(cid)) assert.equal(object.source, 'nas', at);
        if (objects.has(cid)) assert.deepEqual(bytes, objects.get(cid), at);
      }
    } finally {
      await store.close();
    }
    // An empty file with which the clock of the NAS was asked is swept a day later.
    const leftovers = leftoversIn(nas).filter((name) => !name.endsWith('.clock'));
    assert.deepEqual(leftovers, [], at);
  }

  async function killAtEach(kind: Kind): Promise<void> {
    const { stride = () => 1, least } = kind;
    let kills = 0;
    for (let count = 1; await killed(kind, count); count += stride(count)) {
      kills += 1;
      assert.ok(count < MOST, `there are more steps: ${JSON.stringify(kind)}`);
    }
    assert.ok(kills >= least, `only ${kills} kills: ${JSON.stringify(kind)}`);
  }

  it('keeps what it acknowledged, and shows nothing torn', async function () {
    this.timeout(600_000);
    const waiting = [...KINDS];
    const lane = async () => {
      for (let kind = waiting.shift(); kind; kind = waiting.shift()) await killAtEach(kind);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  });
});
