import type { PlacementModel } from '../../../lib/placement';
import { Random } from '../../../lib/placement/search/random';

export interface SmallModelOptions {
  operators: number;
  sites: number;
  /** Capacity as a multiple of what is needed; small values make infeasible models. Default 1.5. */
  room?: number;
}

/** A model full of what the contract speaks of: ties, missing paths, one-way figures, pins, limits, moves. */
export function smallModel(
  seed: number,
  { operators, sites, room = 1.5 }: SmallModelOptions,
): PlacementModel {
  const random = new Random(seed, 77);
  const siteIds = Array.from({ length: sites }, (_, index) => `s${(index * 7) % 10}${index}`);
  const some = (share: number) => random.fraction() < share;
  const model: PlacementModel = {
    sites: siteIds.map((id) => ({
      id,
      cpu: ((operators * room) / sites) * random.between(0.4, 1.6),
      memory: ((operators * 64 * room) / sites) * random.between(0.6, 1.6),
      ...(some(0.5) ? { cost: random.below(4) } : {}),
    })),
    links: [],
    operators: Array.from({ length: operators }, (_, index) => ({
      id: `o${index}`,
      cpu: random.below(20) / 10,
      memory: random.below(128),
      ...(some(0.2) ? { pin: random.pick(siteIds) } : {}),
      ...(some(0.2) ? { allowed: siteIds.filter(() => some(0.7)) } : {}),
    })),
    streams: [],
    weights: { latency: random.below(3), traffic: random.below(3), resources: random.below(2) },
  };
  const density = some(0.15) ? 0.3 : 0.75;
  for (let from = 0; from < sites; from += 1) {
    for (let to = 0; to < sites; to += 1) {
      if (from === to || !some(from < to ? density : 0.1)) continue;
      model.links.push({
        from: siteIds[from]!,
        to: siteIds[to]!,
        latencyMs: random.below(5),
        ...(some(0.4) ? { bandwidthMbps: random.below(12) } : {}),
      });
    }
  }
  // Shuffled names: the model's order is not the order along the streams.
  const order = model.operators.map(({ id }) => id).sort(() => random.fraction() - 0.5);
  for (let to = 1; to < operators; to += 1) {
    for (let from = 0; from < to; from += 1) {
      if (!some(0.45)) continue;
      const stream = { from: order[from]!, to: order[to]! };
      model.streams.push({ ...stream, rate: random.below(20), bytes: random.below(50) * 1000 });
      if (some(0.1)) model.streams.push({ ...stream, rate: 1, bytes: 500 });
    }
  }
  if (some(0.5)) {
    model.current = Object.fromEntries(
      order.filter(() => some(0.7)).map((id) => [id, some(0.1) ? 'gone' : random.pick(siteIds)]),
    );
    model.moveCost = random.below(10) / 20;
  }
  return model;
}
