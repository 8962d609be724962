import type { Measurements } from '../../controller';
import type { PlacementLink, PlacementModel, PlacementSite, PlacementStream } from '../../placement';
import type { PlacedFlow, PlacedOperator } from '../flow';
import type { OperatorRecord, OwnedInstance } from './records';
import { obstacle, type SurveyedHost } from './survey';

/** A place for an instance of an operator: `current` is where it runs. */
export interface Slot {
  operator: PlacedOperator;
  record: OperatorRecord;
  slot: number;
  current: OwnedInstance | undefined;
}

export interface ModelParts {
  flow: PlacedFlow;
  slots: Slot[];
  hosts: SurveyedHost[];
  /** The owner's own site, where messages come from and go to unless it is known otherwise. */
  site: string;
  /** Where the topics that an operator sends to are heard, by topic. */
  hearing: ReadonlyMap<string, string[]>;
  measurements: Measurements;
  /** Whether an operator was refused by a host a short while ago. */
  isRefused(operator: string, peerId: string): boolean;
}

/** Before anything was measured. */
const UNMEASURED = { rate: 1, bytes: 500 };
/** Between sites whose distance nobody has measured, in ms. */
const UNMEASURED_LATENCY = 100;

/** Where messages of an operator come from that no other operator sends. */
export const sourceOf = (operator: string) => `source of ${operator}`;

export const slotId = ({ operator, slot }: Pick<Slot, 'operator' | 'slot'>) => `${operator.id}#${slot}`;

/**
 * What the controller solves: an operator for each instance, and pinned ones for where messages come from and go to.
 * Instances that can run nowhere now are left out.
 */
export function modelOf(parts: ModelParts): PlacementModel {
  const { flow, slots, hosts, measurements } = parts;
  const allowed = new Map(slots.map((slot) => [slot, sitesFor(slot, parts)]));
  const placeable = slots.filter((slot) => allowed.get(slot)!.length > 0);
  const used = [...allowed.values()].flat();
  const sites = sitesOf(parts, new Set([...used, parts.site, ...[...parts.hearing.values()].flat()]));
  const measured = measurements.model(wiring(parts));
  const cpuOf = new Map(measured.operators.map(({ id, cpu }) => [id, cpu]));
  const operators = placeable.map((slot) => ({
    id: slotId(slot),
    cpu: cpuOf.get(slot.operator.id)! / slots.filter(({ operator }) => operator === slot.operator).length,
    memory: slot.operator.memory,
    allowed: allowed.get(slot)!,
  }));
  const fixed = measured.operators.filter(({ pin }) => pin !== undefined);
  const current = placeable.flatMap((slot) => (slot.current ? [[slotId(slot), slot.current.site]] : []));
  return {
    sites,
    links: linksOf(hosts, sites),
    operators: [...operators, ...fixed],
    streams: measured.streams.flatMap((stream) =>
      spread(
        stream,
        placeable,
        fixed.map(({ id }) => id),
      ),
    ),
    weights: flow.weights,
    current: Object.fromEntries([...current, ...fixed.map(({ id, pin }) => [id, pin!])]),
  };
}

/** Sites where an instance may run; where its host is away, the one where it is. */
export function sitesFor(slot: Slot, parts: Pick<ModelParts, 'hosts' | 'isRefused'>): string[] {
  const { operator, record, current } = slot;
  const { hosts, isRefused } = parts;
  const host = hosts.find(({ peerId }) => peerId === current?.peerId);
  if (current && !host?.report) return [current.site];
  const chosen = record.pin === null ? operator : { ...operator, pin: record.pin };
  const fitting = hosts.filter(
    (each) => obstacle(chosen, each) === undefined && !isRefused(operator.id, each.peerId),
  );
  const sites = new Set(fitting.map(({ site }) => site));
  // What runs may stay where Node-RED starts anew, or does not answer.
  if (current && (sites.size === 0 || mayBeAt(chosen, current.site))) sites.add(current.site);
  return [...sites];
}

const mayBeAt = ({ pin, allowed }: PlacedOperator, site: string) =>
  (pin === undefined || pin === site) && (!allowed || allowed.includes(site));

/** Capacity is what is free, with what the flow's own instances have already. */
function sitesOf({ slots, hosts }: ModelParts, names: Set<string>): PlacementSite[] {
  return [...names].map((id) => {
    const free = hosts.filter(({ site }) => site === id).flatMap(({ report }) => report?.free ?? []);
    const own = slots.filter(({ current }) => current?.site === id).map(({ operator }) => operator);
    const sum = (of: 'cpu' | 'memory') =>
      [...free, ...own].reduce((total, each) => total + Math.max(0, each[of]), 0);
    return { id, cpu: sum('cpu'), memory: sum('memory') };
  });
}

/** The flow as it is wired, an operator each. */
function wiring({ flow, site, hearing }: ModelParts): PlacementModel {
  const known = new Set(flow.operators.map(({ id }) => id));
  const operators: PlacementModel['operators'] = flow.operators.map(({ id, cpu, memory }) => ({
    ...{ id, cpu, memory },
  }));
  const streams: PlacementStream[] = [];
  const fix = (id: string, pin: string) => {
    if (!operators.some((each) => each.id === id)) operators.push({ id, cpu: 0, memory: 0, pin });
  };
  const reached = new Set(flow.operators.flatMap(({ outputs }) => outputs.flatMap((each) => each.operators)));
  for (const { id, outputs } of flow.operators) {
    fix(sourceOf(id), site);
    // Most operators get all their messages from others; what else they get is measured.
    streams.push({ from: sourceOf(id), to: id, ...UNMEASURED, rate: reached.has(id) ? 0 : UNMEASURED.rate });
    for (const to of new Set(outputs.flatMap((each) => each.operators))) {
      if (known.has(to) && !leadsTo(streams, to, id)) streams.push({ from: id, to, ...UNMEASURED });
    }
    for (const topic of new Set(outputs.flatMap((each) => each.topics))) {
      for (const heard of hearing.get(topic) ?? [site]) {
        fix(`${topic} at ${heard}`, heard);
        streams.push({ from: id, to: `${topic} at ${heard}`, ...UNMEASURED });
      }
    }
  }
  return { sites: [], links: [], operators, streams, weights: flow.weights };
}

/** A way back would close a circle, which a placement model cannot have. */
function leadsTo(streams: PlacementStream[], from: string, to: string): boolean {
  if (from === to) return true;
  return streams.some((stream) => stream.from === from && leadsTo(streams, stream.to, to));
}

/** A stream between operators is one between all their instances. */
function spread(stream: PlacementStream, slots: Slot[], fixed: string[]): PlacementStream[] {
  const of = (id: string) => {
    const own = slots.filter(({ operator }) => operator.id === id).map(slotId);
    return fixed.includes(id) ? [id] : own;
  };
  const [from, to] = [of(stream.from), of(stream.to)];
  const rate = stream.rate / (from.length * to.length);
  return from.flatMap((one) => to.map((other) => ({ ...stream, from: one, to: other, rate })));
}

/** The shortest round trip that any two hosts of the sites have measured. */
function linksOf(hosts: SurveyedHost[], sites: PlacementSite[]): PlacementLink[] {
  const siteOf = new Map(hosts.map(({ peerId, site }) => [peerId, site]));
  const shortest = new Map<string, number>();
  for (const { site, report } of hosts) {
    for (const [peerId, roundTrip] of Object.entries(report?.roundTrips ?? {})) {
      const key = JSON.stringify([site, siteOf.get(peerId) ?? ''].sort());
      shortest.set(key, Math.min(roundTrip, shortest.get(key) ?? Number.POSITIVE_INFINITY));
    }
  }
  const links: PlacementLink[] = [];
  sites.forEach(({ id: from }, index) => {
    for (const { id: to } of sites.slice(index + 1)) {
      const roundTrip = shortest.get(JSON.stringify([from, to].sort()));
      links.push({ from, to, latencyMs: roundTrip === undefined ? UNMEASURED_LATENCY : roundTrip / 2 });
    }
  });
  return links;
}
