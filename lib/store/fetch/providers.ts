import type { StoreParts } from '../parts';
import type { Provider, Sites } from '../store';
import { within } from './patience';

/** Counts calls that leave this host. */
export interface CallCounter {
  calls: number;
}

/** The connected hosts of other sites, nearest first, once those that can be met have been. */
export async function nearestFirst(sites: Sites | undefined): Promise<Provider[]> {
  await sites?.met();
  return [...(sites?.connected() ?? [])].sort((a, b) => a.rttMs - b.rttMs || (a.id < b.id ? -1 : 1));
}

/** Whether a host says that it has the object; undefined when it does not say. */
export async function ask(
  parts: StoreParts,
  provider: Provider,
  cid: string,
  signal: AbortSignal | undefined,
  counter: CallCounter,
): Promise<boolean | undefined> {
  counter.calls += 1;
  try {
    const [answer] = await within(parts.limits.haveMs, signal, 'the question', (limit) =>
      provider.have([cid], { signal: limit }),
    );
    return answer;
  } catch {
    return undefined;
  }
}

/**
 * Hosts that may have an object, the best first: connected ones that say so, by distance; then what the
 * locator finds; then connected ones that did not answer in time, which are perhaps only slow.
 */
export async function* providersOf(
  parts: StoreParts,
  cid: string,
  signal: AbortSignal,
  counter: CallCounter,
): AsyncGenerator<Provider> {
  const connected = await nearestFirst(parts.sites);
  const answers = connected.map((provider) => ask(parts, provider, cid, signal, counter));
  const silent: Provider[] = [];
  const seen = new Set<string>();
  for (const [index, provider] of connected.entries()) {
    const has = await answers[index];
    if (has !== false) seen.add(provider.id);
    if (has) yield provider;
    else if (has === undefined) silent.push(provider);
  }
  for await (const provider of located(parts, cid, signal, counter)) {
    if (seen.has(provider.id)) continue;
    seen.add(provider.id);
    yield provider;
  }
  yield* silent;
}

async function* located(
  parts: StoreParts,
  cid: string,
  signal: AbortSignal,
  counter: CallCounter,
): AsyncGenerator<Provider> {
  if (!parts.locator) return;
  counter.calls += 1;
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const found = parts.locator.findProviders(cid, { signal: both })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(parts.limits.locatorMs, both, 'the lookup', () => found.next());
      if (next.done) return;
      yield next.value;
    }
  } catch {
    // A lookup that fails or takes too long has found all that it will.
  } finally {
    over.abort();
    void found.return?.()?.catch(() => {});
  }
}
