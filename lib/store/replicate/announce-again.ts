import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../fetch/patience';
import type { StoreParts } from '../parts';

/** Between two announcements, in milliseconds: a site's thousands of objects must not keep its uplink busy. */
const PACE = 200;

/** Announces all objects of the site and all blobs of images one after another, without haste. */
export async function announceAgain(parts: StoreParts, signal: AbortSignal): Promise<void> {
  const { locator, limits } = parts;
  if (!locator) return;
  for await (const cid of everything(parts)) {
    if (signal.aborted) return;
    // One that cannot be told now is found by asking the sites all the same.
    await within(limits.locatorMs, signal, 'the announcement', (limit) =>
      locator.provide(cid, { signal: limit }),
    ).catch(() => {});
    await delay(PACE, undefined, { signal, ref: false }).catch(() => {});
  }
}

async function* everything({ index, nas }: StoreParts): AsyncGenerator<string> {
  for (const { cid } of index.all()) yield cid;
  await nas.ready();
  const { aliases } = nas.paths;
  for (const folder of await nas.disk.run('names', aliases)) {
    yield* await nas.disk.run('names', join(aliases, folder));
  }
}
