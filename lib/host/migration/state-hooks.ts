import { GaruaError } from '../../base';
import type { ContainerEngine, ContainerRecord } from '../../container';

/** A command line for the container's shell that writes the application's own state, or a URL that answers with it. */
const EXPORT = 'garua.migrate.export';
/** A command line that reads it, or a URL that takes it by POST. */
const IMPORT = 'garua.migrate.import';

/** An application's own state could not be taken out, or put in. */
export class StateHookFailedError extends GaruaError {
  constructor(name: string, label: string, why: string, options?: ErrorOptions) {
    super(
      'ERR_MIGRATION_STATE_HOOK',
      `what the label ${label} of container ${name} names ${why}`,
      'Try it with garua exec; the container goes on where it was.',
      options,
    );
  }
}

/** It did not end in time, or wrote without end. */
export class StateHookLimitError extends GaruaError {
  constructor(name: string, label: string, what: string) {
    super(
      'ERR_MIGRATION_STATE_HOOK_LIMIT',
      `what the label ${label} of container ${name} names ${what}, and was ended`,
      'Try it with garua exec; the container goes on where it was.',
    );
  }
}

/** How long a hook may take, in ms, and how much it may write, in bytes. */
const LIMIT_MS = 30_000;
const MOST = 8 << 20;

type Labelled = Pick<ContainerRecord['spec'], 'name' | 'labels'>;
type Engine = Pick<ContainerEngine, 'exec' | 'request'>;

/** What the application writes as its state, whatever bytes that is; undefined when the container names no hook for it. */
export async function exportState(engine: Engine, { name, labels }: Labelled): Promise<Buffer | undefined> {
  const hook = labels[EXPORT];
  return hook === undefined ? undefined : runHook(engine, { name, label: EXPORT, hook });
}

/** Gives it to the new one. */
export async function importState(engine: Engine, { name, labels }: Labelled, state: Buffer): Promise<void> {
  const hook = labels[IMPORT];
  if (hook !== undefined) await runHook(engine, { name, label: IMPORT, hook, input: state });
}

interface Hook {
  name: string;
  label: string;
  hook: string;
  input?: Buffer | undefined;
}

function runHook(engine: Engine, hook: Hook): Promise<Buffer> {
  return /^https?:/.test(hook.hook) ? ask(engine, hook) : run(engine, hook);
}

async function ask(engine: Engine, { name, label, hook: url, input }: Hook): Promise<Buffer> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const method = input ? 'POST' : 'GET';
  const asking = engine.request(name, { url, method, body: input, signal, most: MOST });
  const { status, body } = await asking.catch((error: Error) => {
    if (signal.aborted) throw new StateHookLimitError(name, label, `took over ${LIMIT_MS / 1000} s`);
    throw new StateHookFailedError(name, label, `cannot be asked: ${error.message}`, { cause: error });
  });
  if (status < 200 || status > 299)
    throw new StateHookFailedError(name, label, `answered with status ${status}`);
  if (body.length > MOST) throw new StateHookLimitError(name, label, 'writes without end');
  return body;
}

async function run(engine: Engine, { name, label, hook: command, input }: Hook): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  let complaint = '';
  const signal = AbortSignal.timeout(LIMIT_MS);
  const options = {
    whileMoving: true,
    binary: true,
    signal,
    ...(input && { input: input.toString('latin1') }),
  };
  let exitCode: number | undefined;
  try {
    for await (const output of engine.exec(name, ['/bin/sh', '-c', command], options)) {
      if (!('text' in output)) exitCode = output.exitCode;
      else if (output.stream === 'stderr') complaint = `${complaint}${output.text}`.slice(-200);
      else {
        parts.push(Buffer.from(output.text, 'latin1'));
        size += output.text.length;
        if (size > MOST) throw new StateHookLimitError(name, label, 'writes without end');
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (exitCode === undefined) throw new StateHookLimitError(name, label, `took over ${LIMIT_MS / 1000} s`);
  if (exitCode !== 0)
    throw new StateHookFailedError(name, label, `ended with ${exitCode}: ${complaint.trim()}`);
  return Buffer.concat(parts);
}
