import type { OperatorRecord } from './records';

/**
 * Takes hosts that have left the fog for good out of a record: what they held is given to others, a move that they
 * had a part in ends where it still can. What only they knew is lost.
 *
 * @param isMember whether a host is still one of the fog, be it up or not
 * @returns whether anything has changed
 */
export function withoutGone(record: OperatorRecord, isMember: (peerId: string) => boolean): boolean {
  let isChanged = false;
  const { move } = record;
  if (move && move.step !== 'start' && !isMember(move.from.peerId)) {
    if (move.step !== 'release') {
      if (move.replaces) {
        record.instances = record.instances.map((each) =>
          each.number === move.from.number ? move.to : each,
        );
      }
      // The target is asked to hold them, under an epoch above all that anybody has heard of.
      for (const partition of move.partitions) record.owners[partition] = null;
    }
    record.move = null;
    isChanged = true;
  } else if (move?.step === 'start' && [move.from, move.to].some(({ peerId }) => !isMember(peerId))) {
    record.move = null;
    isChanged = true;
  } else if (move && !isMember(move.to.peerId) && ['hand-over', 'take-over'].includes(move.step)) {
    // Whatever it has taken over, nobody hears of it any more.
    move.epoch = record.epoch += 2;
    move.step = 'take-back';
    isChanged = true;
  }
  const lost = record.instances.filter(
    ({ peerId, number }) =>
      !isMember(peerId) && number !== record.move?.from.number && number !== record.move?.to.number,
  );
  for (const { number } of lost) {
    record.instances = record.instances.filter((each) => each.number !== number);
    record.owners = record.owners.map((owner) => (owner === number ? null : owner));
    record.reason = 'its host has left the fog';
    isChanged = true;
  }
  return isChanged;
}
