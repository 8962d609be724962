import { EventEmitter } from 'node:events';
import { HostNotFoundError } from '../errors';
import type { Ledger } from '../membership/ledger';
import type { HostLoad, HostState, MeshEvent, MeshHost } from '../mesh';
import type { AddressBook } from './address-book';

/** Weight of the newest measurement. */
const SMOOTHING = 0.2;
/** Of the first round trips the shortest counts: a host that is just starting answers late. */
const FIRST_ROUND_TRIPS = 4;
/** One late answer says little: it counts as at most this many times the smoothed value, and 1 ms. */
const OUTLIER = 3;
/** Silent heartbeats until a host is suspect, and until it is down. */
const SUSPECT_AFTER = 2;
const DOWN_AFTER = 4;

interface Observation {
  state: HostState;
  missed: number;
  lastSeen: number | null;
  rttMs: number | null;
  roundTrips: number;
  throughput: number | null;
  load: HostLoad | null;
}

/** What this host sees of the others: who they are comes from the ledger, how they are from heartbeats. */
export class HostTable {
  readonly #ledger: Ledger;
  readonly #book: AddressBook;
  readonly #self: string;
  readonly #observations = new Map<string, Observation>();
  readonly #unsaved = new Map<string, number>();
  readonly #events = new EventEmitter<{ event: [MeshEvent] }>();

  constructor(ledger: Ledger, book: AddressBook, self: string) {
    this.#ledger = ledger;
    this.#book = book;
    this.#self = self;
    this.#events.setMaxListeners(0);
    this.#observe(self).state = 'up';
  }

  /** Peer IDs of all members but this one. */
  others(): string[] {
    return this.#ledger
      .all('certificate')
      .map(({ key }) => key)
      .filter((peerId) => peerId !== this.#self && this.#ledger.objection(peerId) === undefined);
  }

  all(): MeshHost[] {
    return [this.#self, ...this.others()]
      .map((peerId) => this.get(peerId))
      .filter((host) => host !== undefined)
      .sort((a, b) => compare(a.site, b.site) || compare(a.name, b.name));
  }

  get(peerId: string): MeshHost | undefined {
    const certificate = this.#ledger.get('certificate', peerId);
    if (!certificate) return undefined;
    const record = this.#ledger.get('record', peerId);
    const { state, lastSeen, rttMs, throughput, load } = this.#observe(peerId);
    const self = peerId === this.#self;
    return {
      name: record?.name ?? certificate.name,
      peerId,
      site: record?.site ?? certificate.site,
      addresses: record?.addresses ?? [],
      state,
      self,
      lastSeen: self ? Date.now() : lastSeen,
      rttMs: self ? 0 : rttMs && Math.round(rttMs * 100) / 100,
      throughput: throughput && Math.round(throughput),
      abilities: record?.abilities ?? null,
      load,
    };
  }

  /** @throws {HostNotFoundError} */
  find(name: string): MeshHost {
    const hosts = this.all();
    const exact = hosts.filter((host) => host.name === name || host.peerId === name);
    const found = exact.length > 0 ? exact : hosts.filter((host) => name.length >= 4 && isPrefix(host, name));
    if (found.length !== 1) throw new HostNotFoundError(name, found.length);
    return found[0]!;
  }

  heard(peerId: string, load: HostLoad | null, rttMs: number | null): void {
    const seen = this.#observe(peerId);
    seen.missed = 0;
    seen.lastSeen = Date.now();
    this.#unsaved.set(peerId, seen.lastSeen);
    if (load) seen.load = load;
    if (rttMs !== null) takeRoundTrip(seen, rttMs);
    this.#become(peerId, 'up');
  }

  /** A heartbeat went unanswered, or could not be sent. Answers how it now stands with the host. */
  missed(peerId: string): HostState {
    const seen = this.#observe(peerId);
    seen.missed += 1;
    if (seen.missed >= DOWN_AFTER) this.#become(peerId, 'down');
    else if (seen.missed >= SUSPECT_AFTER && seen.state === 'up') this.#become(peerId, 'suspect');
    return seen.state;
  }

  /** Its last connection has ended. */
  disconnected(peerId: string): void {
    const seen = this.#observe(peerId);
    if (seen.state === 'up') {
      seen.missed = SUSPECT_AFTER;
      this.#become(peerId, 'suspect');
    }
  }

  measured(peerId: string, bytesPerSecond: number): void {
    const seen = this.#observe(peerId);
    seen.throughput = smooth(seen.throughput, bytesPerSecond);
  }

  loadOfSelf(load: HostLoad): void {
    this.#observe(this.#self).load = load;
  }

  announce(type: MeshEvent['type'], peerId: string): void {
    const host = this.get(peerId);
    if (host) this.#events.emit('event', { type, host });
  }

  forget(peerId: string): void {
    this.#observations.delete(peerId);
  }

  /** Writes down who was seen when; often enough is once a minute. Where the disk fails, the next time does it. */
  save(): void {
    try {
      this.#book.seen(this.#unsaved);
      this.#unsaved.clear();
    } catch {
      // It only shortens the way back to the others.
    }
  }

  onEvent(listener: (event: MeshEvent) => void): () => void {
    this.#events.on('event', listener);
    return () => this.#events.off('event', listener);
  }

  #become(peerId: string, state: HostState): void {
    const seen = this.#observe(peerId);
    if (seen.state === state) return;
    seen.state = state;
    this.announce(state, peerId);
  }

  #observe(peerId: string): Observation {
    let seen = this.#observations.get(peerId);
    if (!seen) {
      seen = {
        state: 'down',
        missed: DOWN_AFTER,
        lastSeen: this.#book.lastSeen(peerId),
        rttMs: null,
        roundTrips: 0,
        throughput: null,
        load: null,
      };
      this.#observations.set(peerId, seen);
    }
    return seen;
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const isPrefix = (host: MeshHost, name: string) => host.peerId.startsWith(name);
const smooth = (old: number | null, value: number) =>
  old === null ? value : old + SMOOTHING * (value - old);

function takeRoundTrip(seen: Observation, rttMs: number): void {
  seen.roundTrips += 1;
  if (seen.rttMs === null) seen.rttMs = rttMs;
  else if (seen.roundTrips <= FIRST_ROUND_TRIPS) seen.rttMs = Math.min(seen.rttMs, rttMs);
  else seen.rttMs = smooth(seen.rttMs, Math.min(rttMs, OUTLIER * seen.rttMs + 1));
}
