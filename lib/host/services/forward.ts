import { setTimeout as delay } from 'node:timers/promises';
import { Opening } from './opening';
import { copy, type Pipe } from './pipe';
import type { SocketPipe } from './socket-pipe';

/** How long a client waits for an instance, in milliseconds: longer than a container takes to move or restart. */
const PATIENCE = 15_000;
/** Between two looks for an instance. */
const PAUSE = 200;

/** An instance that may serve a connection. */
export interface Candidate {
  key: string;
  /** @throws when the instance does not take it. */
  open(signal: AbortSignal): Promise<Pipe>;
}

/**
 * Serves a client's connection by the first candidate that takes it. One that fails before it has answered any byte
 * is followed by the next one, which is told all that the client has said. Without any, the client waits a while,
 * and is then reset.
 *
 * @param candidates answers those there are now, the best first
 */
export async function forward(client: SocketPipe, candidates: () => Candidate[]): Promise<void> {
  const gone = new AbortController();
  client.onGone(() => gone.abort());
  const opening = new Opening(client.read());
  // What was told a part of the request is not told it again: it may have acted on it.
  const told = new Set<string>();
  for (const end = performance.now() + PATIENCE; performance.now() < end && !gone.signal.aborted; ) {
    const refused = new Set<string>();
    for (;;) {
      const next = candidates().find(({ key }) => !told.has(key) && !refused.has(key));
      if (!next || client.isGone) break;
      const instance = await next.open(gone.signal).catch(() => undefined);
      if (!instance) {
        refused.add(next.key);
        continue;
      }
      if (await serve(client, opening, instance)) return;
      if (client.isGone || !opening.isRepeatable) return client.abort();
      (opening.isEmpty ? refused : told).add(next.key);
    }
    await delay(PAUSE, undefined, { signal: gone.signal }).catch(() => {});
  }
  client.abort();
}

/** Whether the connection came to its end, or as far as there is nothing to be done for it any more. */
async function serve(client: SocketPipe, opening: Opening, instance: Pipe): Promise<boolean> {
  const failed = new AbortController();
  const asking = copy(opening.read(failed.signal), instance);
  // It may fail long before it is waited for.
  asking.catch(() => {});
  try {
    await answer(instance, client, () => opening.settle());
    await asking;
    return true;
  } catch {
    failed.abort();
    instance.abort();
    return false;
  }
}

async function answer(instance: Pipe, client: Pipe, onAnswer: () => void): Promise<void> {
  for await (const chunk of instance.read()) {
    onAnswer();
    await client.write(chunk);
  }
  onAnswer();
  await client.end();
}
