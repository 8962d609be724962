import { DiskFullError, fromErrorDocument, GaruaError, PermissionError } from '../../base';
import {
  BlockMismatchError,
  NasFailedError,
  NasMissingError,
  NasReadOnlyError,
  ObjectCorruptError,
} from '../errors';
import type { DiskFailure } from './messages';

/** An object's file, or the folder it should be in, is not there. */
export class FileMissingError extends Error {}

/** The server of a network file system has gone, or knows the file no more. */
const GONE = new Set(['ESTALE', 'ENOTCONN', 'ENODEV', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT', 'ENOTDIR']);

/** What a disk thread's failure means for a caller. */
export function diskError(folder: string, failure: DiskFailure): Error {
  const { code, message, path, known, leaf } = failure;
  if (known?.code === 'ERR_STORE_OBJECT_CORRUPT') {
    const error = new ObjectCorruptError('', '', leaf);
    error.message = known.message;
    return error;
  }
  if (known?.code === 'ERR_STORE_BLOCK_MISMATCH') return new BlockMismatchError(leaf ?? 0);
  if (known) return fromErrorDocument(known);
  const cause = { cause: Object.assign(new Error(message), { code }) };
  if (code === 'ENOENT') return new FileMissingError(message, cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFullError(path ?? folder, cause);
  if (code === 'EROFS') return new NasReadOnlyError(folder, cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return new PermissionError(`the store may not use ${path ?? folder}: ${message}`, undefined, cause);
  }
  if (GONE.has(code)) return new NasMissingError(folder, message, cause);
  if (/^E[A-Z0-9]+$/.test(code)) return new NasFailedError(folder, message, cause);
  return new GaruaError('ERR_INTERNAL', message, 'Please report this with the message above.', cause);
}
