/** Hosts that an owner asks, each of them a few sets in memory: what they know is as after a crash of either side. */
import { GaruaError, openDatabase } from '../../../../lib/base';
import { FlowOwner, type FogView, type OperatorRuntime, type RuntimeReport } from '../../../../lib/placement';

/** One host: which instances it runs, and what they hold. */
export class StandInHost {
  readonly peerId: string;
  readonly running = new Set<string>();
  readonly holds = new Map<string, number>();
  isUp = true;
  /** Answers nothing until whoever asks gives up. */
  isSilent = false;
  calls = 0;

  constructor(peerId: string) {
    this.peerId = peerId;
  }

  get runtime(): OperatorRuntime {
    const answer = async <T>(signal: AbortSignal | undefined, work: () => T): Promise<T> => {
      this.calls += 1;
      if (!this.isUp) throw new GaruaError('ERR_MESH_UNREACHABLE', `${this.peerId} is away`, '');
      if (this.isSilent) await new Promise((_, reject) => signal?.addEventListener('abort', reject));
      return work();
    };
    const check = (instance: string) => {
      if (this.running.has(instance)) return;
      throw new GaruaError('ERR_OPERATOR_INSTANCE_UNKNOWN', `no ${instance} at ${this.peerId}`, '');
    };
    return {
      look: (_owner, _devices, signal) => answer(signal, () => this.#report()),
      start: (spec, signal) => answer(signal, () => void this.running.add(spec.instance)),
      hold: (_owner, instance, subscribers, epoch, signal) =>
        answer(signal, () => {
          check(instance);
          for (const subscriber of subscribers) this.holds.set(subscriber, epoch);
        }),
      handOver: (_owner, instance, _subscribers, signal) =>
        answer(signal, () => {
          check(instance);
          return { state: null };
        }),
      takeOver: (_owner, instance, { subscribers, epoch }, signal) =>
        answer(signal, () => {
          check(instance);
          for (const subscriber of subscribers) this.holds.set(subscriber, epoch);
        }),
      renounce: (_owner, _instance, subscribers, signal) =>
        answer(signal, () => !subscribers.some((one) => this.holds.has(one))),
      takeBack: (_owner, instance, _subscribers, _epoch, signal) => answer(signal, () => check(instance)),
      release: (_owner, _instance, subscribers, signal) =>
        answer(signal, () => {
          for (const subscriber of subscribers) this.holds.delete(subscriber);
        }),
      remove: (_owner, instance, signal) => answer(signal, () => void this.running.delete(instance)),
    };
  }

  #report(): RuntimeReport {
    const types = ['fog-port-in', 'fog-port-out', 'function'];
    const instances = [...this.running].map((instance) => ({
      ...{ instance, holds: [], isAttached: true, measures: null },
    }));
    return {
      ...{ free: { cpu: 1, memory: 100 }, nodeRed: { types }, devices: [] },
      ...{ roundTrips: {}, instances, waiting: {} },
    };
  }
}

/** An owner at host `home`, and the hosts that it sees. */
export function ownerOf(hosts: StandInHost[]): FlowOwner {
  const view: FogView = {
    self: { peerId: 'home', name: 'home', site: 'home' },
    hosts: () =>
      hosts.map(({ peerId, isUp }) => ({ peerId, name: peerId, site: peerId, isUp, roundTripMs: 0 })),
    onUp: () => () => {},
    runtime: (peerId) => hosts.find((host) => host.peerId === peerId)!.runtime,
    sitesHearing: async () => [],
    expectSubscriber: async () => {},
    forgetSubscriber: async () => {},
  };
  return new FlowOwner(view, openDatabase(':memory:'));
}
