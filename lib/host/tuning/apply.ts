import { defaultDataDirectory, PermissionError } from '../../base';
import type { Edit, Finding, Fixed } from '../doctor/check';
import { type ChangeableMachine, thisMachine } from '../machine';
import { type FixRecord, readRecord, writeRecord } from './record';

export interface ApplyOptions {
  dataDirectory?: string | undefined;
  machine?: ChangeableMachine | undefined;
}

/** What `--undo` did about one change. */
export interface Undone {
  id: string;
  what: string;
  /** Files left alone, since somebody has changed them since. */
  kept: string[];
}

/**
 * Makes the changes that the findings call for. What a file held before is on disk before the file changes, so
 * that a power cut at any moment leaves the old or the new file, and what `undoFixes` needs.
 *
 * @throws {PermissionError} when not root
 */
export async function applyFixes(findings: Finding[], options: ApplyOptions = {}): Promise<Fixed[]> {
  const { machine = thisMachine, dataDirectory = defaultDataDirectory() } = options;
  requireRoot(machine, 'changing the settings of this machine');
  const fixed: Fixed[] = [];
  for (const { id, mend } of findings) {
    if (!mend) continue;
    const { what, undo } = mend;
    const edits = await Promise.all(
      mend.edits.map(async (edit) => ({ ...edit, before: (await machine.read(edit.path)) ?? null })),
    );
    const commands = (mend.commands ?? []).map((command) => command.undo);
    const others = await readRecord(machine, dataDirectory);
    const earlier = others.find((record) => record.id === id);
    const record: FixRecord = {
      id,
      what,
      undo,
      edits: edits.map((edit) => firstState(edit, earlier)),
      commands,
    };
    await writeRecord(machine, dataDirectory, [...others.filter((other) => other.id !== id), record]);
    for (const edit of edits) await change(machine, edit, edit.content);
    for (const { run } of mend.commands ?? []) await machine.execute(run[0]!, ...run.slice(1));
    fixed.push({ id, what, undo });
  }
  return fixed;
}

/**
 * Takes back what `applyFixes` has changed, the last change first. A file that somebody has changed since is
 * left as it is.
 *
 * @throws {PermissionError} when not root
 */
export async function undoFixes(options: ApplyOptions = {}): Promise<Undone[]> {
  const { machine = thisMachine, dataDirectory = defaultDataDirectory() } = options;
  requireRoot(machine, 'changing the settings of this machine');
  const undone: Undone[] = [];
  const records = await readRecord(machine, dataDirectory);
  for (let record = records.at(-1); record; record = records.at(-1)) {
    const kept: string[] = [];
    for (const edit of record.edits.toReversed()) {
      const now = (await machine.read(edit.path)) ?? null;
      if (now === edit.before) continue;
      if (!same(edit, now)) kept.push(edit.path);
      else await change(machine, edit, edit.before);
    }
    for (const [program, ...words] of record.commands) await machine.execute(program!, ...words);
    records.pop();
    await writeRecord(machine, dataDirectory, records);
    undone.push({ id: record.id, what: record.what, kept });
  }
  return undone;
}

/** After an interruption the file may be changed already: what counts is what it held at the first try. */
function firstState(
  edit: FixRecord['edits'][number],
  earlier: FixRecord | undefined,
): FixRecord['edits'][number] {
  const same = earlier?.edits.find(({ path, content }) => path === edit.path && content === edit.before);
  return same ? { ...edit, before: same.before } : edit;
}

async function change(
  machine: ChangeableMachine,
  { path, kind }: Edit,
  content: string | null,
): Promise<void> {
  if (kind === 'kernel') {
    if (content !== null) await machine.setKernelValue(path, content);
  } else if (content === null) await machine.remove(path);
  else await machine.write(path, content);
}

function same({ content, kind }: Edit, now: string | null): boolean {
  return kind === 'kernel' ? now?.trim() === content.trim() : now === content;
}

function requireRoot(machine: ChangeableMachine, what: string): void {
  if (machine.userId !== 0) throw new PermissionError(`${what} needs root`, 'Run it with sudo.');
}
