import type { PlacementLink, PlacementModel } from '../placement';
import { Smoothed } from './smoothed';

/** What passed between two operators within a time. */
export interface StreamReport {
  from: string;
  to: string;
  messages: number;
  /** Of all these messages. */
  bytes: number;
  spanMs: number;
}

/** What an operator did within a time. */
export interface OperatorReport {
  operator: string;
  /** Sum of its handler times. */
  handlerMs: number;
  spanMs: number;
}

interface StreamMeasure {
  rate: Smoothed;
  bytes: Smoothed;
}

/** Long enough that one burst moves nothing, short enough to follow the morning. */
const HALF_LIFE_MS = 60_000;

/** What is measured of one flow, smoothed, for the placement model. Times in ms of one clock. */
export class Measurements {
  readonly #streams = new Map<string, StreamMeasure>();
  readonly #operators = new Map<string, Smoothed>();
  readonly #roundTrips = new Map<string, Smoothed>();

  constructor(private readonly halfLifeMs = HALF_LIFE_MS) {}

  stream({ from, to, messages, bytes, spanMs }: StreamReport, now: number): void {
    const measure = at(this.#streams, pair(from, to), () => ({ rate: this.#fresh(), bytes: this.#fresh() }));
    measure.rate.update((messages / spanMs) * 1000, now, spanMs);
    if (messages > 0) measure.bytes.update(bytes / messages, now, spanMs);
  }

  operator({ operator, handlerMs, spanMs }: OperatorReport, now: number): void {
    at(this.#operators, operator, () => this.#fresh()).update(handlerMs / spanMs, now, spanMs);
  }

  /** Between two sites, in either direction. */
  roundTrip(site: string, other: string, milliseconds: number, now: number): void {
    const key = site < other ? pair(site, other) : pair(other, site);
    at(this.#roundTrips, key, () => this.#fresh()).update(milliseconds, now);
  }

  /** Drops what concerns an operator or a site that is no more. */
  forget(id: string): void {
    this.#operators.delete(id);
    for (const measures of [this.#streams, this.#roundTrips]) {
      for (const key of measures.keys()) if (JSON.parse(key).includes(id)) measures.delete(key);
    }
  }

  /**
   * The model with measured values in place of what it says: rates and sizes of streams, round trips of links,
   * cores where an operator takes more than it asked for. What was never measured stays.
   */
  model(base: PlacementModel): PlacementModel {
    const streams = base.streams.map((stream) => {
      const measure = this.#streams.get(pair(stream.from, stream.to));
      const { rate, bytes } = stream;
      return { ...stream, rate: measure?.rate.value ?? rate, bytes: measure?.bytes.value ?? bytes };
    });
    const operators = base.operators.map((operator) => {
      const cores = this.#operators.get(operator.id)?.value ?? 0;
      return { ...operator, cpu: Math.max(operator.cpu, cores) };
    });
    return { ...base, streams, operators, links: this.#links(base) };
  }

  #links(base: PlacementModel): PlacementLink[] {
    const sites = new Set(base.sites.map(({ id }) => id));
    const known = new Set<string>();
    const links = base.links.map((link) => {
      const { from, to } = link;
      known.add(from < to ? pair(from, to) : pair(to, from));
      const roundTrip = this.#roundTrips.get(from < to ? pair(from, to) : pair(to, from))?.value;
      return roundTrip === undefined ? link : { ...link, latencyMs: roundTrip / 2 };
    });
    for (const [key, { value }] of this.#roundTrips) {
      const [from, to] = JSON.parse(key) as [string, string];
      if (known.has(key) || !sites.has(from) || !sites.has(to)) continue;
      links.push({ from, to, latencyMs: value! / 2 });
    }
    return links;
  }

  #fresh(): Smoothed {
    return new Smoothed(this.halfLifeMs);
  }
}

function pair(from: string, to: string): string {
  return JSON.stringify([from, to]);
}

function at<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known) return known;
  const made = make();
  map.set(key, made);
  return made;
}
