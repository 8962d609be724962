import { join } from 'node:path';
import { FileMissingError } from '../disk/disk-error';
import { QuotaExceededError } from '../errors';
import { ask, nearestFirst } from '../fetch/providers';
import type { ObjectRecord } from '../index/object-index';
import { uniqueName } from '../nas/paths';
import type { StoreParts } from '../parts';

/**
 * The NAS is read again before a decision about its use when what this host knows of it is older, in milliseconds:
 * other hosts write there too. At most so long, and else so many times what the reading takes.
 */
const FRESH_MS = { least: 1_000, most: 60_000 };
const READING_SHARE = 20;
/** Files that belong to a write under way are younger, by far. */
const LEFTOVER_MS = 24 * 3_600_000;

/**
 * Makes room, least recently used first. All hosts of a site may do so at once, without locks:
 *
 * 1. An object on its way out is renamed into `evicting/`. The rename is atomic, so one host alone has it, and
 *    from then on the site answers that it does not have the object.
 * 2. Only then is looked for a pin, and are the other sites asked. With a pin, or when no other site has it,
 *    it is renamed back. So two sites that evict the same object at once cannot each trust in the other's
 *    copy: both have moved theirs away before they ask.
 * 3. It is deleted when the grace period is over and there still is no pin. Until then a get or a pin that
 *    misses it renames it back, and a reader that has it open goes on.
 *
 * A pin is written before its object is looked for, and looked for here after the object was moved: one of
 * the two sees the other. The grace period outlasts what NFS clients cache.
 */
export class Evictor {
  #scanAgainAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: StoreParts) {}

  /** Reads from the NAS which objects there are. */
  async scan(signal?: AbortSignal): Promise<void> {
    const { nas, index } = this.parts;
    const started = performance.now();
    const gone = new Map(index.all().map((record) => [record.cid, record]));
    for await (const { name: cid, bytes, modified } of nas.objects()) {
      signal?.throwIfAborted();
      const known = gone.get(cid);
      gone.delete(cid);
      const writer = known?.writer ?? (await nas.footer(cid))?.writer ?? '';
      if (known?.size !== bytes || known.lastUse !== modified)
        index.put({ cid, size: bytes, lastUse: modified, writer });
    }
    for (const record of gone.values()) {
      // What came while the folders were read is no leftover.
      if (!(await nas.has(record.cid))) index.remove(record.cid);
    }
    const now = performance.now();
    this.#scanAgainAt =
      now + Math.min(Math.max((now - started) * READING_SHARE, FRESH_MS.least), FRESH_MS.most);
  }

  /**
   * Evicts until so many more bytes fit.
   *
   * @throws {QuotaExceededError}
   */
  async makeRoom(bytes: number, writer: string): Promise<void> {
    const { site, perWriter } = this.parts.quota;
    if (site === undefined && perWriter === undefined) return;
    if (performance.now() >= this.#scanAgainAt) await this.scan();
    if (perWriter !== undefined) await this.#shrink(perWriter, bytes, writer);
    if (site !== undefined) await this.#shrink(site, bytes);
  }

  async #shrink(quota: number, bytes: number, writer?: string): Promise<void> {
    const who = writer ?? `site ${this.parts.site}`;
    // What fits nowhere must not drive out all the rest first.
    if (bytes > quota) throw new QuotaExceededError(who, quota, bytes);
    const { evicted, over } = await this.#evictTo(quota - bytes, writer);
    // What went before has waited long enough by now, perhaps; the new ones are deleted by a later sweep.
    if (evicted.length > 0) await this.sweep();
    if (over) throw new QuotaExceededError(who, quota, bytes);
  }

  /** Evicts until the site is within its quota. */
  async collect(signal?: AbortSignal): Promise<{ evicted: ObjectRecord[] }> {
    await this.scan(signal);
    const { site, perWriter } = this.parts.quota;
    const evicted: ObjectRecord[] = [];
    if (perWriter !== undefined) {
      const writers = new Set(this.parts.index.all().map(({ writer }) => writer));
      for (const writer of writers) evicted.push(...(await this.#evictTo(perWriter, writer, signal)).evicted);
    }
    if (site !== undefined) evicted.push(...(await this.#evictTo(site, undefined, signal)).evicted);
    return { evicted };
  }

  async #evictTo(
    bytes: number,
    writer?: string,
    signal?: AbortSignal,
  ): Promise<{ evicted: ObjectRecord[]; over: boolean }> {
    const { index, nas } = this.parts;
    const evicted: ObjectRecord[] = [];
    let used = index.usage(writer).bytes;
    if (used <= bytes) return { evicted, over: false };
    const pins = new Set(await nas.disk.run('names', nas.paths.pins));
    for (const record of index.all(writer)) {
      if (used <= bytes) break;
      signal?.throwIfAborted();
      if (pins.has(record.cid) || !(await this.evict(record.cid, signal))) continue;
      used -= record.size;
      evicted.push(record);
    }
    return { evicted, over: used > bytes };
  }

  /** Moves one object out if another site has it; answers whether it did. */
  async evict(cid: string, signal?: AbortSignal): Promise<boolean> {
    const { nas, index, tasks } = this.parts;
    // What is nowhere else is not even moved; what counts is the answer after the moving.
    if (!(await this.#elsewhere(cid, signal))) return false;
    const away = join(nas.paths.evicting, `${cid}.${nas.now}.${uniqueName()}`);
    try {
      await nas.disk.run('move', nas.paths.object(cid), away);
    } catch (error) {
      if (!(error instanceof FileMissingError)) throw error;
      index.remove(cid);
      return false;
    }
    if ((await this.#pinned(cid)) || !(await this.#elsewhere(cid, signal))) {
      await this.#putBack(away, cid);
      return false;
    }
    index.remove(cid);
    tasks.forget(cid);
    return true;
  }

  async #putBack(away: string, cid: string): Promise<void> {
    const { nas } = this.parts;
    await nas.disk.run('move', away, nas.paths.object(cid)).catch((error) => {
      // Somebody who wanted it has put it back already.
      if (!(error instanceof FileMissingError)) throw error;
    });
  }

  async #pinned(cid: string): Promise<boolean> {
    const { nas } = this.parts;
    return (await nas.disk.run('readSmall', nas.paths.pin(cid))) !== undefined;
  }

  async #elsewhere(cid: string, signal?: AbortSignal): Promise<boolean> {
    const counter = { calls: 0 };
    for (const provider of await nearestFirst(this.parts.sites)) {
      if (await ask(this.parts, provider, cid, signal, counter)) return true;
    }
    return false;
  }

  /** Deletes what has been on its way out for long enough, and what writers have left behind. */
  async sweep(): Promise<number> {
    const { nas, limits } = this.parts;
    await nas.ready();
    const { disk, paths } = nas;
    let freed = 0;
    for (const { name, bytes } of await disk.run('files', paths.evicting)) {
      const [cid, since] = name.split('.') as [string, string];
      if (nas.now - Number(since) < limits.evictionGraceMs) continue;
      const path = join(paths.evicting, name);
      if (await this.#pinned(cid)) await this.#putBack(path, cid);
      else if (await disk.run('remove', path)) freed += bytes;
    }
    for (const { name, bytes, modified } of await disk.run('files', paths.incoming)) {
      if (nas.now - modified < LEFTOVER_MS) continue;
      if (await disk.run('remove', join(paths.incoming, name))) freed += bytes;
    }
    return freed;
  }
}
