/** What crosses the control socket in place of an error object. */
export interface ErrorDocument {
  code: string;
  message: string;
  hint: string;
}

/**
 * The root of all errors that Garua raises on purpose.
 *
 * `code` is stable and meant for programs, `message` names the thing that failed, `hint` is the next
 * step a person can take.
 */
export class GaruaError extends Error {
  override readonly name: string = this.constructor.name;

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  toJSON(): ErrorDocument {
    return { code: this.code, message: this.message, hint: this.hint };
  }
}

/** A caller gave a value that cannot be used. */
export class InvalidArgumentError extends GaruaError {
  constructor(message: string, hint = 'Correct the value and try again.', options?: ErrorOptions) {
    super('ERR_INVALID_ARGUMENT', message, hint, options);
  }
}

/** The caller's signal ended the call. */
export class AbortedError extends GaruaError {
  constructor(what: string, options?: ErrorOptions) {
    super('ERR_ABORTED', `${what} was cancelled`, 'Start it again when you want it to go on.', options);
  }
}

/** A file system had no room left. */
export class DiskFullError extends GaruaError {
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_DISK_FULL',
      `no space left on the device that holds ${path}`,
      'Free some space (garua prune removes unused images), then try again.',
      options,
    );
  }
}

/** The process lacks a right that the operation needs. */
export class PermissionError extends GaruaError {
  constructor(what: string, hint = 'Run it as root, or through the daemon.', options?: ErrorOptions) {
    super('ERR_PERMISSION', what, hint, options);
  }
}

/** What the file system and SQLite call a full disk; the last one is about SQLite's shared memory file. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']);

/** Turns whatever was thrown into a GaruaError, translating the file system's common failures. */
export function toGaruaError(error: unknown, context = 'the operation'): GaruaError {
  if (error instanceof GaruaError) return error;
  const { code, path, message, name } = (error ?? {}) as NodeJS.ErrnoException;
  const options = { cause: error };
  if (FULL.has(code ?? '')) return new DiskFullError(path ?? `the data of ${context}`, options);
  if (code === 'EACCES' || code === 'EPERM') {
    return new PermissionError(`${context} is not permitted: ${message}`, undefined, options);
  }
  if (name === 'AbortError') return new AbortedError(context, options);
  return new GaruaError(
    'ERR_INTERNAL',
    `${context} failed: ${message ?? String(error)}`,
    'Please report this with the message above.',
    options,
  );
}

/** Rebuilds an error that came over the control socket. */
export function fromErrorDocument(document: ErrorDocument): GaruaError {
  return new GaruaError(document.code, document.message, document.hint);
}
