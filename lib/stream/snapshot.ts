import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WindowEngine } from './engine';
import { StreamStateError } from './errors';
import { fingerprint } from './spec';
import type { EngineMeta } from './stream';

/** Milliseconds of work before other work gets its turn. */
const SLICE = 5;
const VERSION = 1;

/** The first line of a snapshot; each further one is a key with its record. */
interface Header {
  version: number;
  spec: string;
  meta: EngineMeta;
}

type Choose = ((key: string) => boolean) | undefined;

/**
 * The state of some keys of an engine, or of all, for `mergeSnapshot`. The engine must be at rest until this resolves:
 * see the task `exclusive` of a runner.
 */
export async function takeSnapshot(engine: WindowEngine, choose?: Choose): Promise<Uint8Array> {
  const header: Header = { version: VERSION, spec: fingerprint(engine.spec), meta: engine.meta() };
  const lines = [Buffer.from(JSON.stringify(header))];
  for await (const key of chosen(engine, choose)) {
    lines.push(Buffer.from(`\n${JSON.stringify([key, engine.saveKey(key)])}`));
  }
  return Buffer.concat(lines);
}

/**
 * Adds the keys of a snapshot to those of an engine that is at rest, in place of what it has of them. Its clock and its
 * watermark become the later ones of both, which may let windows fire.
 *
 * @throws {StreamStateError} when it belongs to another specification, or is damaged; nothing has changed then
 */
export async function mergeSnapshot(engine: WindowEngine, snapshot: Uint8Array): Promise<void> {
  const [first, ...rest] = linesOf(Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.length));
  const header = parse(first) as Header;
  if (header?.version !== VERSION) throw new StreamStateError('the state has an unknown version');
  if (header.spec !== fingerprint(engine.spec)) {
    throw new StreamStateError('the state was saved with other settings');
  }
  const keys: [string, unknown][] = [];
  for await (const line of inSlices(rest)) keys.push(parse(line) as [string, unknown]);
  for await (const [key, record] of inSlices(keys)) {
    engine.reset(key);
    engine.loadKey(key, record);
  }
  engine.mergeMeta(header.meta);
}

/** Forgets some keys of an engine that is at rest, or all, without a pane. The watermark stays. */
export async function forgetKeys(engine: WindowEngine, choose?: Choose): Promise<void> {
  if (!choose) engine.reset();
  else for await (const key of chosen(engine, choose)) engine.reset(key);
}

async function* chosen(engine: WindowEngine, choose: Choose): AsyncIterable<string> {
  for await (const key of inSlices([...engine.keys()])) if (!choose || choose(key)) yield key;
}

async function* inSlices<T>(items: Iterable<T>): AsyncIterable<T> {
  let until = performance.now() + SLICE;
  for (const item of items) {
    yield item;
    if (performance.now() < until) continue;
    await nextTurn();
    until = performance.now() + SLICE;
  }
}

/** As views: a state may be large. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(10, start);
    const end = found === -1 ? bytes.length : found;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function parse(line: Buffer | undefined): unknown {
  try {
    return JSON.parse(String(line));
  } catch {
    throw new StreamStateError('the state is damaged');
  }
}
