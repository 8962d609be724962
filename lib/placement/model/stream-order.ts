import { PlacementModelError } from '../errors';
import type { PlacementModel } from '../placement';

/**
 * Positions of the model's operators, each after all that send to it (Kahn's algorithm; otherwise in the
 * model's order).
 * @throws {PlacementModelError} naming a cycle.
 */
export function streamOrder({ operators, streams }: PlacementModel): number[] {
  const index = new Map(operators.map(({ id }, position) => [id, position]));
  const targets: number[][] = operators.map(() => []);
  const waitingFor = new Int32Array(operators.length);
  for (const { from, to } of streams) {
    targets[index.get(from)!]!.push(index.get(to)!);
    waitingFor[index.get(to)!]! += 1;
  }
  const order = [...operators.keys()].filter((position) => waitingFor[position] === 0);
  for (const position of order) {
    for (const target of targets[position]!) {
      waitingFor[target]! -= 1;
      if (waitingFor[target] === 0) order.push(target);
    }
  }
  if (order.length < operators.length) {
    const cycle = findCycle(waitingFor, targets).map((position) => operators[position]!.id);
    throw new PlacementModelError(
      `streams form a cycle: ${cycle.join(' -> ')}`,
      'Streams must be acyclic: leave the feedback stream out of the model.',
    );
  }
  return order;
}

/** Whoever still waits is on a cycle or behind one: walking backwards from there ends in a cycle. */
function findCycle(waitingFor: Int32Array, targets: number[][]): number[] {
  const waits = (position: number) => waitingFor[position]! > 0;
  const source = new Map<number, number>();
  targets.forEach((each, position) => {
    if (waits(position)) for (const target of each) source.set(target, position);
  });
  const path: number[] = [];
  let at = waitingFor.findIndex((count) => count > 0);
  while (!path.includes(at)) {
    path.push(at);
    at = source.get(at)!;
  }
  const cycle = [...path.slice(path.indexOf(at)), at];
  return cycle.reverse();
}
