import { setTimeout as delay } from 'node:timers/promises';
import type { Node } from 'node-red';
import { toGaruaError } from '../../lib/base';
import { nodeError, type Translate } from '../feedback';
import type { HostLease } from './host-pool';

/** Pauses between attempts, in ms. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/**
 * Opens the host, again and again until it is open: after a power cut a disk may still be full, or not there yet. The
 * pool keeps it open from then on. Each new reason is told once.
 */
export async function untilOpen(
  node: Node,
  lease: HostLease,
  translate: Translate,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      await lease.host();
      if (told !== '' && !signal.aborted) node.status({});
      return;
    } catch (error) {
      if (signal.aborted) return;
      const { message } = toGaruaError(error);
      node.status({ fill: 'yellow', shape: 'ring', text: translate('fog-host.status.waiting') });
      if (message !== told) node.error(nodeError(error, 'opening the host'));
      told = message;
    }
    await delay(pause, undefined, { signal, ref: false }).catch(() => {});
  }
}
