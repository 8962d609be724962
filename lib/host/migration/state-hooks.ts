import { GaruaError } from '../../base';
import type { ContainerEngine, ContainerRecord } from '../../container';

/** A command line for the container's shell that prints the application's own state. */
const EXPORT = 'garua.migrate.export';
/** One that reads it. */
const IMPORT = 'garua.migrate.import';

/** An application's own state could not be taken out, or put in. */
export class StateHookFailedError extends GaruaError {
  constructor(name: string, label: string, status: number, text: string) {
    super(
      'ERR_MIGRATION_STATE_HOOK',
      `the command of the label ${label} of container ${name} ended with ${status}: ${text.trim().slice(-200)}`,
      'Try the command with garua exec; the container goes on where it was.',
    );
  }
}

/** The command did not end in time, or printed without end. */
export class StateHookLimitError extends GaruaError {
  constructor(name: string, label: string, what: string) {
    super(
      'ERR_MIGRATION_STATE_HOOK_LIMIT',
      `the command of the label ${label} of container ${name} ${what}, and was ended`,
      'Try the command with garua exec; the container goes on where it was.',
    );
  }
}

/** How long a command may take, in ms, and how much it may print, in characters. */
const LIMIT_MS = 30_000;
const MOST = 8 << 20;

type Labelled = Pick<ContainerRecord['spec'], 'name' | 'labels'>;

/** What the application prints as its state; undefined when the container names no command for that. */
export async function exportState(
  engine: ContainerEngine,
  { name, labels }: Labelled,
): Promise<string | undefined> {
  const command = labels[EXPORT];
  return command === undefined ? undefined : runHook(engine, name, EXPORT, command);
}

/** Gives it to the new one. */
export async function importState(
  engine: ContainerEngine,
  { name, labels }: Labelled,
  state: string,
): Promise<void> {
  const command = labels[IMPORT];
  if (command !== undefined) await runHook(engine, name, IMPORT, command, state);
}

async function runHook(
  engine: ContainerEngine,
  name: string,
  label: string,
  command: string,
  input?: string,
): Promise<string> {
  const texts = { stdout: '', stderr: '' };
  const signal = AbortSignal.timeout(LIMIT_MS);
  const options = { whileMoving: true, signal, ...(input !== undefined && { input }) };
  let exitCode: number | undefined;
  try {
    for await (const output of engine.exec(name, ['/bin/sh', '-c', command], options)) {
      if (!('text' in output)) exitCode = output.exitCode;
      else if (texts[output.stream].length > MOST)
        throw new StateHookLimitError(name, label, 'prints without end');
      else texts[output.stream] += output.text;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (exitCode === undefined) throw new StateHookLimitError(name, label, `took over ${LIMIT_MS / 1000} s`);
  if (exitCode !== 0) throw new StateHookFailedError(name, label, exitCode, texts.stderr);
  return texts.stdout;
}
