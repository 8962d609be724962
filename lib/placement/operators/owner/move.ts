import { GaruaError, toGaruaError } from '../../../base';
import type { Handover, OperatorRuntime, Subscriber } from '../runtime';
import { MoveInDoubtError } from './errors';
import type { MoveRecord, OperatorRecord } from './records';

/** What a move is done with. */
export interface MoveParts {
  owner: string;
  runtime(peerId: string): OperatorRuntime;
  instance(number: number): string;
  subscribers(partitions: readonly number[]): Subscriber[];
  /** Gives up waiting: the move goes on from the step that is on record. */
  signal: AbortSignal;
  /** Whether a host is still one of the fog. */
  isMember(peerId: string): boolean;
  /** Starts the instance `to`. */
  start(move: MoveRecord): Promise<void>;
  /** Writes the record down. */
  save(): void;
}

/** How a move ended. `pausedMs`: between asking the source to stop and hearing that the target goes on. */
export type MoveOutcome = { moved: true; pausedMs: number } | { moved: false; error: GaruaError };

/** How often the target is asked to take over before the source is. */
const ATTEMPTS = 2;

/**
 * Goes on with the move of a record from the step that it is at, until it is done or undone. Each step is written
 * down before it is asked for, and each may be asked for again.
 *
 * @throws what the host throws that must be asked, or asked again; the record then says how far it came
 */
export async function proceed(record: OperatorRecord, parts: MoveParts): Promise<MoveOutcome> {
  const move = record.move!;
  const { owner, runtime, instance, signal } = parts;
  const source = runtime(move.from.peerId);
  const target = runtime(move.to.peerId);
  const [from, to] = [instance(move.from.number), instance(move.to.number)];
  const subscribers = parts.subscribers(move.partitions);
  const advance = (step: MoveRecord['step']) => {
    move.step = step;
    parts.save();
  };
  let failure: GaruaError | undefined;
  let pausedMs = 0;

  if (move.step === 'start') {
    try {
      if (move.replaces) await parts.start(move);
    } catch (error) {
      record.move = null;
      parts.save();
      return { moved: false, error: toGaruaError(error, 'the move') };
    }
    advance('hand-over');
  }
  if (move.step === 'hand-over' || move.step === 'take-over') {
    const since = performance.now();
    try {
      const { state } = await handedOver(source, target, move, parts, [from, to], subscribers);
      if (move.step === 'hand-over') advance('take-over');
      const request = { from: move.from.peerId, subscribers, epoch: move.epoch, state };
      await repeatedly(() => target.takeOver(owner, to, request, signal));
      pausedMs = performance.now() - since;
    } catch (error) {
      if (move.step === 'take-over') await renounced(target, move, parts, to, subscribers, error);
      failure = toGaruaError(error, 'the move');
      // The epoch that the target may have seen is not used again.
      move.epoch = record.epoch += 2;
      advance('take-back');
    }
    if (!failure) {
      settle(record, move);
      advance('release');
    }
  }
  if (move.step === 'take-back') {
    await source.takeBack(owner, from, subscribers, move.epoch, signal);
    if (move.replaces && parts.isMember(move.to.peerId)) {
      await target.remove(owner, to, signal).catch(() => {});
    }
    record.move = null;
    parts.save();
    return { moved: false, error: failure ?? interrupted(move) };
  }
  await source.release(owner, from, subscribers, signal);
  if (move.replaces) await source.remove(owner, from, signal);
  record.move = null;
  parts.save();
  return { moved: true, pausedMs };
}

/** From here on the instance `to` is the one that has the partitions. */
function settle(record: OperatorRecord, { from, to, replaces, partitions }: MoveRecord): void {
  for (const partition of partitions) record.owners[partition] = to.number;
  if (!replaces) return;
  record.instances = record.instances.map((each) => (each.number === from.number ? to : each));
}

/** A target that has them already has the state too: it is not lost with the source. */
async function handedOver(
  source: OperatorRuntime,
  target: OperatorRuntime,
  { step }: MoveRecord,
  { owner, signal }: MoveParts,
  [from, to]: [string, string],
  subscribers: Subscriber[],
): Promise<Handover> {
  try {
    return await source.handOver(owner, from, subscribers, signal);
  } catch (error) {
    if (step === 'hand-over' || (await target.renounce(owner, to, subscribers, signal))) throw error;
    return { state: null };
  }
}

/** @throws {MoveInDoubtError} unless the target says that it has not taken over, and never will */
async function renounced(
  target: OperatorRuntime,
  move: MoveRecord,
  { owner, signal }: MoveParts,
  to: string,
  subscribers: Subscriber[],
  cause: unknown,
): Promise<void> {
  const answer = await target.renounce(owner, to, subscribers, signal).catch(() => false);
  if (!answer) throw new MoveInDoubtError(move.to.host, { cause });
}

async function repeatedly(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function interrupted({ to }: MoveRecord): GaruaError {
  return new GaruaError(
    'ERR_OPERATOR_MOVE',
    `the move to ${to.host} was interrupted, and undone`,
    'It is tried again when it still pays.',
  );
}
