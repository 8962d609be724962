import type { GaruaError } from '../../../base';
import type { Arrival, Departure, DumpOptions, DumpTimes, TimedCall } from '../../../container';
import type { Checkpointer, CheckpointFacts } from '../checkpointer';
import { CheckpointRefusedError } from '../errors';
import { criuFacts, incompatibilities } from './facts';
import { obstacles } from './obstacles';

/** Checkpoints from outside, through runc and the kernel's interfaces for it (https://criu.org). Needs root. */
export class CriuCheckpointer implements Checkpointer {
  readonly name = 'criu';

  facts(): Promise<CheckpointFacts> {
    return criuFacts();
  }

  async check(container: Departure): Promise<string[]> {
    const missing = await criuFacts().then(
      () => [],
      (error: GaruaError) => [error.message],
    );
    return [...missing, ...(await obstacles(container))];
  }

  async compare(from: CheckpointFacts): Promise<string[]> {
    return incompatibilities(from, await criuFacts());
  }

  async checkpoint(container: Departure, folder: string, options?: DumpOptions): Promise<DumpTimes> {
    const [reasons] = await Promise.all([obstacles(container), criuFacts()]);
    if (reasons.length > 0) throw new CheckpointRefusedError(container.name, reasons);
    return container.dump(folder, options);
  }

  async restore(container: Arrival, options?: TimedCall): Promise<void> {
    await container.restore(options);
  }
}
