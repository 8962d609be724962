import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import type { Host } from '../../lib/host';
import type { FlowEvent, PlacedFlow, PlacedOperator } from '../../lib/placement';
import { type HostUse, useHost } from '../fog-host/use-host';
import { DeployedFlows } from './flow-file';
import { weightsOf } from './settings';

/** The flow that the operators are part of, and the peer ID of the host that owns it. */
export interface FlowPlace {
  owner: string;
  flow: string;
}

/** A place-operator in a deployed flow. */
export interface Member {
  readonly id: string;
  readonly preference: number;
  /** What it is and needs. From now on its messages have an address. */
  describe(flows: DeployedFlows, place: FlowPlace): PlacedOperator;
  heed(event: FlowEvent): void;
  fail(error: unknown): void;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/** All place-operators of this Node-RED that use one host: they are placed together. */
class FlowSession {
  readonly members = new Map<string, Member>();
  readonly #RED: NodeAPI;
  readonly #open: () => HostUse;
  #lease: HostUse | undefined;
  #running: AbortController | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(RED: NodeAPI, open: () => HostUse) {
    this.#RED = RED;
    this.#open = open;
  }

  /** The flows were deployed: places what is there now. */
  async refresh(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    await this.#done;
    if (running.signal.aborted) return;
    this.#done = this.#keep(running.signal);
    await this.#done;
    if (this.members.size === 0) await this.#release();
  }

  /** The flows end or start anew: operators go on where they are, and `refresh` says what is to be. */
  async leave(member: Member): Promise<void> {
    if (this.members.get(member.id) === member) this.members.delete(member.id);
    if (this.members.size > 0) return;
    this.#running?.abort();
    await this.#done;
    await this.#release();
  }

  async #release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        this.#lease ??= this.#open();
        const host = await this.#lease.host();
        const flow = await this.#flow(host);
        if (flow.operators.length === 0 && this.members.size === 0) {
          await host.removeFlow(flow.id, { signal });
          return;
        }
        for await (const event of host.placeFlow(flow, { signal })) {
          pause = FIRST_PAUSE;
          this.members.get(event.type === 'status' ? event.status.operator : event.operator)?.heed(event);
        }
      } catch (error) {
        if (!signal.aborted) for (const member of this.members.values()) member.fail(error);
      }
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** A member that cannot be described is left out, and says why. */
  async #flow(host: Host): Promise<PlacedFlow> {
    const flows = new DeployedFlows(this.#RED);
    const place: FlowPlace = { owner: await peerOf(host), flow: flowIdOf(this.#RED) };
    const operators: PlacedOperator[] = [];
    const preferences: number[] = [];
    for (const member of this.members.values()) {
      try {
        operators.push(member.describe(flows, place));
        preferences.push(member.preference);
      } catch (error) {
        member.fail(error);
      }
    }
    return { id: place.flow, operators, weights: weightsOf(preferences) };
  }
}

/** The sessions of this process, by the host that they use. */
const sessions = new Map<string, FlowSession>();
let listening = false;

/** Adds a place-operator to those that are placed together when the flows have started. */
export function join(RED: NodeAPI, hostNode: string | undefined, member: Member): () => Promise<void> {
  if (!listening) {
    RED.events.on('flows:started', () => {
      for (const session of sessions.values()) void session.refresh();
    });
    listening = true;
  }
  const { key, release } = useHost(RED, hostNode);
  void release();
  let session = sessions.get(key);
  if (!session) {
    session = new FlowSession(RED, () => useHost(RED, hostNode));
    sessions.set(key, session);
  }
  session.members.set(member.id, member);
  return () => session.leave(member);
}

/** The peer ID of the host that answers. */
async function peerOf(host: Host): Promise<string> {
  const hosts = (await host.sites()).flatMap(({ hosts }) => hosts);
  return hosts.find(({ rttMs, state }) => rttMs === 0 && state === 'up')!.peerId;
}

/** The same after a restart, and another one for each Node-RED on a machine. */
function flowIdOf(RED: NodeAPI): string {
  const folder = String((RED.settings as { userDir?: string }).userDir ?? '');
  return createHash('sha256').update(folder).digest('hex').slice(0, 12);
}
