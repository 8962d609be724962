import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../lib/host';
import { consume, type Message, type Position, type SubscribeOptions } from '../../lib/mesh';

/** Pauses until the host is tried again, in ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** Takes the messages of a topic until the signal fires, also over times when the host is away. */
export async function listen(
  host: () => Promise<Host>,
  topic: string,
  options: SubscribeOptions & { signal: AbortSignal },
  take: (message: Message) => unknown,
  onError: (error: unknown) => void,
): Promise<void> {
  const { signal } = options;
  const position: Position = { queue: '', sequence: 0 };
  let pause = FIRST_PAUSE;
  const taking = (message: Message) => {
    pause = FIRST_PAUSE;
    return take(message);
  };
  while (!signal.aborted) {
    try {
      await consume(await host(), topic, options, taking, position);
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    await delay(pause, undefined, { signal, ref: false }).catch(() => {});
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}
