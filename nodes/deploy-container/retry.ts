import { setTimeout as delay } from 'node:timers/promises';
import { toGaruaError } from '../../lib/base';

/** What has to come up that is not there yet. */
export type Missing = 'network' | 'host';

/** After a reboot Node-RED is often up before the network, the registry next door, or the daemon. */
const PASSING: Record<string, Missing> = {
  ERR_REGISTRY_UNREACHABLE: 'network',
  ERR_REGISTRY_TIMEOUT: 'network',
  ERR_REGISTRY_UNAVAILABLE: 'network',
  ERR_CONTROL_UNREACHABLE: 'host',
  ERR_CONTROL_DISCONNECTED: 'host',
};

/** What an error waits for; undefined for one that does not pass by itself. */
export function missingOf(error: unknown): Missing | undefined {
  return PASSING[toGaruaError(error).code];
}

/** Milliseconds. */
export interface Pauses {
  first: number;
  longest: number;
}

const PAUSES: Pauses = { first: 2_000, longest: 60_000 };

/**
 * Does the work, and again as long as it fails for want of something that may still come up. Ends without a
 * result once the signal fires while it waits.
 *
 * @throws what the work throws for another reason
 */
export async function untilThere(
  work: () => Promise<void>,
  onMissing: (missing: Missing, error: unknown) => void,
  signal: AbortSignal,
  { first, longest }: Pauses = PAUSES,
): Promise<void> {
  for (let pause = first; !signal.aborted; pause = Math.min(pause * 2, longest)) {
    try {
      return await work();
    } catch (error) {
      const missing = missingOf(error);
      if (!missing || signal.aborted) throw error;
      onMissing(missing, error);
    }
    await delay(pause, undefined, { signal, ref: false }).catch(() => {});
  }
}
