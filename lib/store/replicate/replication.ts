import { InvalidArgumentError } from '../../base';
import type { Replication } from '../store';

/** `local`, `near:N` or `all`. @throws {InvalidArgumentError} */
export function parseReplication(text: string): Replication {
  if (text === 'local' || text === 'all' || /^near:[1-9]\d{0,3}$/.test(text)) return text as Replication;
  throw new InvalidArgumentError(
    `"${text}" is no way to replicate`,
    'Write local, near:N (such as near:2) or all.',
  );
}
