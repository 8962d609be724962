import { AbortedError, type ErrorDocument, settleAll, throwIfAborted, toGaruaError } from '../../base';
import type { ContainerRecord, Departure } from '../../container';
import type { Checkpointer } from '../checkpoint/checkpointer';
import type { Round, SentFolder } from '../transfer';
import { MigrationInDoubtError, StateTooLargeError } from './errors';
import type { Attempt, SourceStep } from './ledger';
import type { TargetLink, Transfer } from './links';
import { LARGEST_STATE, type PrepareAnswer, type Ticket } from './messages';
import { type DowntimeOf, type MigrationProgress, warmUpProgress } from './progress';
import type { MigrationSource } from './source';
import { within } from './standstill';

/** What a migration came to. Times are in milliseconds. */
export interface MigrationResult {
  outcome: 'moved' | 'rolled-back';
  address: 'kept' | 'changed' | 'none';
  /** From the moment when it stood still here until it ran there; 0 in elastic mode. */
  downtimeMs: number;
  totalMs: number;
  /** The memory sent ahead, round by round. */
  rounds: Round[];
  bytesSent: number;
  /** Why it was rolled back; then it goes on where it was. */
  error?: ErrorDocument;
  /** What failed here once it ran there, such as to remove what is left of it here; that is tried again. */
  warning?: ErrorDocument;
}

/** What is moved, and how. */
export interface Movement {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: MigrationProgress) => void) | undefined;
  ticket: Ticket;
  departure: Departure;
  source: MigrationSource;
  link: TargetLink;
  start: 'restore' | 'fresh';
  /** Bytes that a dump may take. */
  memory: number;
  downtimeOf: DowntimeOf;
  checkpointer: Checkpointer;
  /** Milliseconds for which it may stand still until it is handed over; then it goes on here. */
  standstillMs: number;
  /** Asks the application for its own state, in elastic mode; undefined when it has none. */
  exportState(): Promise<Buffer | undefined>;
  /** Elastic mode: has those who come from now on go there, and waits for what is under way here. */
  drain(): Promise<void>;
  /** How long the program may take to end where it is stopped. */
  graceMs?: number | undefined;
}

/** Files are copied again while a round has so much to send, in bytes, at most so often. */
const MUCH = 4 << 20;
const FILE_ROUNDS = 4;

/** In the order in which the document is printed. */
function nothingYet(): MigrationResult {
  return { outcome: 'rolled-back', address: 'none', downtimeMs: 0, totalMs: 0, rounds: [], bytesSent: 0 };
}

/** Of a migration that has failed before anything happened to the container. */
export function notBegun(error: unknown, name: string): MigrationResult {
  return { ...nothingYet(), error: documentOf(error, name) };
}

/**
 * Moves a container. When anything fails before it runs at the target, it goes on here and the result says why.
 * Until it stands still the signal gives it up.
 *
 * @throws {AbortedError} {MigrationInDoubtError}
 */
export async function moveContainer(movement: Movement): Promise<MigrationResult> {
  const began = performance.now();
  const { ticket, departure, source, signal } = movement;
  const result = nothingYet();
  let attempt: Attempt<SourceStep> | undefined;
  const progress = { told: false };
  try {
    attempt = source.begin(ticket, departure);
    await departure.note(ticket);
    await move(movement, attempt, result, progress);
    result.outcome = 'moved';
  } catch (error) {
    if (error instanceof MigrationInDoubtError) throw error;
    if (!attempt) await departure.resume();
    else if (!progress.told) await source.giveUp(attempt);
    if (signal?.aborted && error instanceof AbortedError) throw error;
    result.error = documentOf(error, ticket.name);
  } finally {
    if (attempt) source.rest(attempt);
  }
  return { ...result, totalMs: Math.round(performance.now() - began) };
}

/** `progress.told`: whether the target may have been told to run it; then it decides. */
async function move(
  movement: Movement,
  attempt: Attempt<SourceStep>,
  result: MigrationResult,
  progress: { told: boolean },
): Promise<void> {
  const { ticket, departure, source, link, start, memory, signal, onProgress } = movement;
  const elastic = ticket.mode === 'elastic';
  onProgress?.({ phase: 'preparing', done: 0, total: 1, unit: 'steps' });
  const record = portable(departure.record);
  const request = { ticket, record, address: departure.address, start, memory };
  const prepared: PrepareAnswer = await link.prepare(request, { signal });
  const transfer = await link.transfer(ticket);
  try {
    if (!elastic) await untilAborted(movement, transfer, () => sendAhead(movement, transfer, result));
    throwIfAborted(signal, `the migration of ${ticket.name}`);
    const { halted, state } = await within(movement.standstillMs, ticket.name, async (expiry) => {
      expiry.addEventListener('abort', () => void transfer.close(), { once: true });
      const halted = elastic ? undefined : await halt(movement, transfer, expiry);
      const state = elastic ? await exported(movement) : undefined;
      result.bytesSent = transfer.bytesSent;
      await transfer.finish();
      return { halted, state };
    });
    onProgress?.({ phase: 'starting', done: 0, total: 1, unit: 'steps' });
    await source.offer(attempt);
    progress.told = true;
    let runningAt = 0;
    const answer = await source.handOver(attempt, {
      state,
      whenThere: async () => {
        runningAt = performance.now();
        if (elastic) await end(movement);
      },
    });
    if (halted !== undefined)
      result.downtimeMs = Math.max(0, Math.round(runningAt - answer.sinceRunningMs - halted));
    result.address = prepared.address;
    if (answer.warning !== undefined) result.warning = documentOf(answer.warning, ticket.name);
  } catch (error) {
    await transfer.close();
    throw error;
  }
}

/** A line may hang, so that only the end of the transfer ends the work. @throws {AbortedError} */
async function untilAborted(
  { ticket, signal }: Movement,
  transfer: Transfer,
  work: () => Promise<void>,
): Promise<void> {
  const onAbort = () => void transfer.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await work();
  } catch (error) {
    throwIfAborted(signal, `the migration of ${ticket.name}`);
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** All that can be sent while it runs. */
async function sendAhead(
  { ticket, departure, start, memory, downtimeOf, signal, onProgress }: Movement,
  transfer: Transfer,
  result: MigrationResult,
): Promise<void> {
  const folders = foldersOf(departure);
  const processes = () => departure.processes();
  let bytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < FILE_ROUNDS && bytes > MUCH; round += 1) {
    const before = bytes;
    bytes = await transfer.sendFolders(folders, { processes, signal, onProgress });
    if (bytes > before / 2) break;
  }
  if (ticket.mode === 'live' && start === 'restore') {
    const options = { signal, ...warmUpProgress(memory, downtimeOf, onProgress) };
    result.rounds = await transfer.warmUp(processes, options);
    await transfer.sendFolders(folders, { processes, signal });
  }
  // The line must be free when it stands still, and so must the target's disk: it mounts the files anew.
  await transfer.settle({ toDisk: true });
}

/** Makes it stand still and sends the rest. Answers since when it has. */
async function halt(
  { departure, checkpointer, start, graceMs, onProgress }: Movement,
  transfer: Transfer,
  signal: AbortSignal,
): Promise<number> {
  const sendFiles = async () => {
    await transfer.sendFolders(foldersOf(departure), { processes: () => departure.processes(), signal });
    const log = departure.logFiles().at(-1);
    if (log !== undefined) await transfer.sendLog(log);
  };
  onProgress?.({ phase: 'freezing', done: 0, total: 1, unit: 'steps' });
  if (start === 'fresh') {
    const halted = performance.now();
    await departure.stop({ signal, graceMs });
    await sendFiles();
    return halted;
  }
  const folder = await departure.imagesFolder();
  const { promise: still, resolve: onStill } = Promise.withResolvers<void>();
  const dumping = checkpointer
    .checkpoint(departure, folder, { signal, onStill })
    .then(({ frozenMs }) => performance.now() - frozenMs);
  // All that is left goes while the dump is written: from `still` on nothing changes any more.
  await settleAll<unknown>([
    dumping,
    transfer.sendDump(folder, { written: dumping, signal }),
    Promise.race([still, dumping]).then(sendFiles),
  ]);
  return dumping;
}

/** @throws {StateTooLargeError} */
async function exported({ ticket, exportState }: Movement): Promise<string | undefined> {
  const state = await exportState();
  const size = state?.length ?? 0;
  if (size > LARGEST_STATE) throw new StateTooLargeError(ticket.name, size, LARGEST_STATE);
  return state?.toString('base64');
}

/** The new one serves already: those that came to the old one may end in peace. */
async function end({ departure, drain, graceMs }: Movement): Promise<void> {
  await drain().catch(() => {});
  await departure.stop({ graceMs }).catch(() => {});
}

function foldersOf({ record, upper, volumes }: Departure): SentFolder[] {
  return [
    { name: 'upper', path: upper, mountedAt: ['/'] },
    ...volumes.map(({ name, path }) => {
      const mounts = record.spec.mounts.filter((mount) => mount.type === 'volume' && mount.source === name);
      return { name: `volume ${name}`, path, mountedAt: mounts.map(({ target }) => target) };
    }),
  ];
}

/** The layers lie elsewhere on the target. */
function portable(record: ContainerRecord): ContainerRecord {
  return { ...record, layers: [] };
}

function documentOf(error: unknown, name: string): ErrorDocument {
  return toGaruaError(error, `the migration of ${name}`).toJSON();
}
