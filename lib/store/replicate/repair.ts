import type { LongCall } from '../../base';
import { within } from '../fetch/patience';
import { ask, nearestFirst } from '../fetch/providers';
import type { Task } from '../index/tasks';
import type { StoreParts } from '../parts';
import type { Provider, Replication } from '../store';

/** Tasks that are worked off in one round. */
const ROUND = 64;
/** A copy of so many bytes may take a second, else longer; with `haveMs` as the least. */
const SLOWEST_BYTES_PER_SECOND = 50_000;

/** Announcing takes the processor that the next put needs: it waits until a series of puts may be over, in ms. */
const ANNOUNCE_AFTER = 1_000;
/** A series that goes on and on is announced in parts, in ms. */
const ANNOUNCE_AT_LATEST = 10_000;

/** Tells other sites what is new here, and sends them copies, now or when they can be reached. */
export class Repair {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #soon: NodeJS.Timeout | undefined;
  /** When the first of what waits came up. */
  #soonSince: number | undefined;
  readonly #closed = new AbortController();

  constructor(
    private readonly parts: StoreParts,
    private readonly blocksOf: (cid: string, call: LongCall) => AsyncIterable<Uint8Array>,
  ) {}

  start(): void {
    this.#timer = setInterval(() => this.wake(), this.parts.limits.repairMs);
    this.#timer.unref();
    this.wake();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#closed.abort();
    await this.#running;
  }

  /** Works off what is due; nobody waits for it. */
  wake(): void {
    if (!this.#timer || this.#closed.signal.aborted) return;
    this.#again = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
    });
  }

  /** Works off what came up in passing, once nothing more does for a moment. */
  wakeSoon(): void {
    if (!this.#timer || this.#closed.signal.aborted) return;
    const now = performance.now();
    this.#soonSince ??= now;
    const latest = this.#soonSince + ANNOUNCE_AT_LATEST;
    clearTimeout(this.#soon);
    this.#soon = setTimeout(
      () => {
        this.#soonSince = undefined;
        this.wake();
      },
      Math.max(0, Math.min(ANNOUNCE_AFTER, latest - now)),
    );
    this.#soon.unref();
  }

  async #loop(): Promise<void> {
    while (this.#again && !this.#closed.signal.aborted) {
      this.#again = false;
      try {
        await this.#applyPolicies();
        if (await this.#round()) this.#again = true;
      } catch {
        // The NAS or the index is in trouble: the next round tries again.
      }
    }
  }

  /** Which sites are to have a copy, as of now. */
  async choose(cid: string, replication: Replication): Promise<string[]> {
    if (replication === 'local') return [];
    const known = this.parts.tasks.sites(cid).map(({ site }) => site);
    const near = (await nearestFirst(this.parts.sites)).map(({ site }) => site);
    const all = [...new Set([...near, ...(this.parts.sites?.names() ?? [])])].filter(
      (site) => site !== this.parts.site,
    );
    const wanted = replication === 'all' ? all.length : Number(replication.slice('near:'.length));
    const missing = all.filter((site) => !known.includes(site));
    return [...known, ...missing].slice(0, Math.max(wanted, known.length));
  }

  /** Sites may have joined the fog since the object was put. */
  async #applyPolicies(): Promise<void> {
    for (const { cid, replication } of this.parts.tasks.policies()) {
      for (const site of await this.choose(cid, replication)) this.parts.tasks.add('replicate', cid, site);
    }
  }

  async #round(): Promise<boolean> {
    const { tasks, locator } = this.parts;
    let worked = 0;
    const announcements = locator ? tasks.due('announce', Date.now(), ROUND) : [];
    for (const task of [...announcements, ...tasks.due('replicate', Date.now(), ROUND)]) {
      if (this.#closed.signal.aborted) return false;
      await this.run(task);
      worked += 1;
    }
    return worked > 0;
  }

  /** One attempt; answers whether the task is done. */
  async run(task: Task, signal?: AbortSignal): Promise<boolean> {
    const { tasks } = this.parts;
    const both = signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal;
    try {
      const done =
        task.kind === 'announce' ? await this.#announce(task.cid, both) : await this.#send(task, both);
      if (done) tasks.done(task);
      else tasks.failed(task, Date.now());
      return done;
    } catch {
      if (!this.#closed.signal.aborted) tasks.failed(task, Date.now());
      return false;
    }
  }

  async #announce(cid: string, signal: AbortSignal): Promise<boolean> {
    const { locator, limits } = this.parts;
    if (!locator) return false;
    await within(limits.locatorMs, signal, 'the announcement', (limit) =>
      locator.provide(cid, { signal: limit }),
    );
    return true;
  }

  /** Sends a copy to whichever host of the site takes it. */
  async #send({ cid, site }: Task, signal: AbortSignal): Promise<boolean> {
    const hosts = (await nearestFirst(this.parts.sites)).filter((provider) => provider.site === site);
    for (const provider of hosts) {
      if (await ask(this.parts, provider, cid, signal, { calls: 0 })) return true;
      if (await this.#put(provider, cid, signal).catch(() => false)) return true;
    }
    return false;
  }

  async #put(provider: Provider, cid: string, signal: AbortSignal): Promise<boolean> {
    const opened = await this.parts.nas.open(cid);
    if (!opened) {
      this.parts.tasks.forget(cid);
      return false;
    }
    await opened.close();
    const limit = this.parts.limits.blockMs + (opened.footer.size / SLOWEST_BYTES_PER_SECOND) * 1000;
    await within(limit, signal, 'the copy', (inTime) =>
      provider.put(cid, this.blocksOf(cid, { signal: inTime }), { signal: inTime }),
    );
    return true;
  }
}
