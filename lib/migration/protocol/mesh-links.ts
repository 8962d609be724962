import type { LongCall } from '../../base';
import type { ByteStream, CallContext, Mesh } from '../../mesh';
import { receive, Sender } from '../transfer';
import { checkTicket } from './check-ticket';
import type { SourceLink, TargetLink } from './links';
import type {
  ImageName,
  PreflightAnswer,
  PreflightRequest,
  PrepareAnswer,
  PrepareRequest,
  RunAnswer,
  SourceOutcome,
  Ticket,
  Verdict,
} from './messages';
import type { MigrationSource } from './source';
import type { MigrationTarget } from './target';

const CALLS = {
  preflight: 'migration.preflight',
  fetch: 'migration.fetch',
  prepare: 'migration.prepare',
  run: 'migration.run',
  decide: 'migration.decide',
  settled: 'migration.settled',
  outcome: 'migration.outcome',
} as const;
const TRANSFER = 'migration.transfer';

const MINUTE = 60_000;
/** An image may have to come over a slow line. */
const PREPARE_LIMIT = 60 * MINUTE;
/** A large restore from a slow card, and a probe that takes its time. */
const RUN_LIMIT = 10 * MINUTE;
/** A verdict that waits for a restore is asked for again. */
const DECIDE_LIMIT = MINUTE / 2;

/** How a source reaches a target over the mesh. */
export function targetOver(mesh: Mesh, peerId: string): TargetLink {
  const call = <T>(name: string, argument: unknown, timeoutMs = MINUTE / 2, { signal }: LongCall = {}) =>
    mesh.call<T>(peerId, name, argument, { timeoutMs, signal });
  return {
    preflight: (request, options) => call<PreflightAnswer>(CALLS.preflight, request, MINUTE, options),
    fetch: (image, options) => call<void>(CALLS.fetch, image, PREPARE_LIMIT, options),
    prepare: (request, options) => call<PrepareAnswer>(CALLS.prepare, request, PREPARE_LIMIT, options),
    transfer: async (ticket) => Sender.open(await mesh.openStream(peerId, TRANSFER, ticket)),
    run: (ticket, state) => call<RunAnswer>(CALLS.run, { ticket, state }, RUN_LIMIT),
    decide: (ticket) => call<Verdict>(CALLS.decide, ticket, DECIDE_LIMIT),
    settled: (ticket) => call<void>(CALLS.settled, ticket),
  };
}

/** How a target reaches a source over the mesh. */
export function sourceOver(mesh: Mesh, peerId: string): SourceLink {
  return { outcome: (ticket) => mesh.call<SourceOutcome>(peerId, CALLS.outcome, ticket) };
}

/** What a host answers to the others. */
export interface Served {
  source: MigrationSource;
  target: MigrationTarget;
  /** Whether that host may place containers here. @throws when it may not */
  check(peerId: string): Promise<void>;
  preflight(request: PreflightRequest): Promise<PreflightAnswer>;
  /** Brings an image here. */
  fetch(image: ImageName): Promise<void>;
  /** How many pages of memory there is room for ahead of a dump. */
  pageLimit(): number;
}

/** Serves migrations to the other hosts of the fog. Each may only speak of its own. */
export function serveMigrations(mesh: Mesh, served: Served): void {
  const { source, target, check } = served;
  const from = (ticket: unknown, { peerId }: CallContext) => checkTicket(ticket, peerId, mesh.peerId);
  mesh.serve(CALLS.preflight, async (request: PreflightRequest, { peerId }) => {
    await check(peerId);
    return served.preflight(request);
  });
  mesh.serve(CALLS.fetch, async (image: ImageName, { peerId }) => {
    await check(peerId);
    await served.fetch(image);
  });
  mesh.serve(CALLS.prepare, async (request: PrepareRequest, context) => {
    await check(context.peerId);
    const ticket = from(request.ticket, context);
    const { addressOutcome } = await target.prepare({ ...request, ticket });
    return { address: addressOutcome } satisfies PrepareAnswer;
  });
  mesh.serve(CALLS.run, ({ ticket, state }: { ticket: unknown; state?: string }, context) =>
    target.run(from(ticket, context), state),
  );
  mesh.serve(CALLS.decide, async (value: unknown, context) => {
    const ticket = from(value, context);
    // What this host has agreed to it answers for, also when that host may not place containers here any more.
    if (!target.knows(ticket)) await check(context.peerId);
    return target.decide(ticket);
  });
  mesh.serve(CALLS.settled, (ticket: unknown, context) => target.recovery.settled(from(ticket, context)));
  mesh.serve(CALLS.outcome, (ticket: unknown, { peerId }) =>
    source.outcome(checkTicket(ticket, mesh.peerId, peerId)),
  );
  mesh.serveStream(TRANSFER, (ticket: unknown, stream, context) =>
    takeIn(served, from(ticket, context), stream),
  );
}

/** Puts in place what comes; when the source goes away in the middle, nothing of it stays. */
async function takeIn({ target, pageLimit }: Served, ticket: Ticket, stream: ByteStream): Promise<void> {
  const { arrival, ended } = target.expect(ticket);
  const { upper, volumes, images, log } = arrival;
  const folders = new Map([
    ['upper', upper],
    ...volumes.map(({ name, path }) => [`volume ${name}`, path] as const),
  ]);
  const onEnd = () => stream.abort();
  ended.signal.addEventListener('abort', onEnd, { once: true });
  try {
    await receive(stream, { folders, images, log, pageLimit: pageLimit() });
    target.awaitSource(ticket);
  } catch (error) {
    await target.abandon(ticket.id);
    throw error;
  } finally {
    ended.signal.removeEventListener('abort', onEnd);
  }
}
