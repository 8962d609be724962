import { InvalidArgumentError } from '../../lib/base';
import type { MigrationMode } from '../../lib/migration/protocol';
import type { Translate } from '../fog-messages';

/** What the dialog holds, and what a message may say instead. */
export interface MoveSettings {
  container?: string;
  to?: string;
  mode?: string;
}

/** One move that was asked for. */
export interface Move {
  container: string;
  to: string;
  mode: MigrationMode;
}

const MODES: readonly string[] = ['live', 'cold', 'elastic'];

/** What a message asks for; what it does not say comes from the dialog. @throws {InvalidArgumentError} */
export function moveOf(settings: MoveSettings, message: Record<string, unknown>, translate: Translate): Move {
  const choose = (key: 'container' | 'host' | 'mode', own: string | undefined) =>
    String(message[key] ?? own ?? '').trim();
  const container = choose('container', settings.container);
  const to = choose('host', settings.to);
  const mode = choose('mode', settings.mode) || 'live';
  const refuse = (word: string) => new InvalidArgumentError(translate(`migrate.invalid.${word}`));
  if (container === '') throw refuse('container');
  if (to === '') throw refuse('to');
  if (!MODES.includes(mode)) throw refuse('mode');
  return { container, to, mode: mode as MigrationMode };
}
