import type { ContainerRecord } from '../../container';
import type { Mesh } from '../../mesh';

const CALLS = { look: 'scale.look', record: 'scale.record', start: 'scale.start', retire: 'scale.retire' };

const MINUTE = 60_000;
/** An image may have to come over a slow line. */
const START_LIMIT = 60 * MINUTE;

/** What a host says of its container of a name. */
export interface Sight {
  service: string | null;
  running: boolean;
  ready: boolean;
  /** Equal digests mean the same spec and the same image. */
  specDigest: string;
  /** ISO 8601. */
  startedAt: string | null;
  /** Connections it was given of late through service ports. */
  recent: number;
}

export interface StartRequest {
  record: ContainerRecord;
  drainMs: number;
}

export interface RetireRequest {
  name: string;
  service: string;
  drainMs: number;
  graceMs: number;
}

/** What is asked of a host that has an instance, or is to have one. */
export interface ScaleLink {
  /** null where there is no such container. */
  look(name: string, signal?: AbortSignal): Promise<Sight | null>;
  record(name: string, signal?: AbortSignal): Promise<ContainerRecord>;
  /** Resolves once the instance is ready. */
  start(request: StartRequest, signal?: AbortSignal): Promise<void>;
  retire(request: RetireRequest, signal?: AbortSignal): Promise<void>;
}

/** How another host is asked. */
export function linkOver(mesh: Mesh, peerId: string): ScaleLink {
  const call = <T>(
    name: string,
    argument: unknown,
    signal: AbortSignal | undefined,
    timeoutMs = MINUTE / 2,
  ) => mesh.call<T>(peerId, name, argument, { signal, timeoutMs });
  return {
    look: (name, signal) => call<Sight | null>(CALLS.look, name, signal),
    record: (name, signal) => call<ContainerRecord>(CALLS.record, name, signal),
    start: (request, signal) => call<void>(CALLS.start, request, signal, START_LIMIT),
    retire: (request, signal) =>
      call<void>(CALLS.retire, request, signal, request.drainMs + request.graceMs + MINUTE),
  };
}

/** Serves the other hosts of the fog. `check`: whether that host may place containers here. */
export function serveScale(mesh: Mesh, own: ScaleLink, check: (peerId: string) => Promise<void>): void {
  const serve = <T>(name: string, answer: (argument: T, signal: AbortSignal) => Promise<unknown>) =>
    mesh.serve(name, async (argument: T, { peerId, signal }) => {
      await check(peerId);
      return (await answer(argument, signal)) ?? null;
    });
  serve(CALLS.look, (name: string, signal) => own.look(name, signal));
  serve(CALLS.record, (name: string, signal) => own.record(name, signal));
  serve(CALLS.start, (request: StartRequest, signal) => own.start(request, signal));
  serve(CALLS.retire, (request: RetireRequest, signal) => own.retire(request, signal));
}
