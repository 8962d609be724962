import { InvalidArgumentError } from '../../lib/base';
import type { MigrationMode } from '../../lib/migration/protocol';
import type { Translate } from '../feedback';

/** What the dialog holds, and what a message may say instead. */
export interface MigrateSettings {
  /** `message`, or the trigger that looks on. */
  when?: string;
  container?: string;
  to?: string;
  /** How to move; with `when: message` also `checkpoint`, to a file. */
  mode?: string;
  filename?: string;
  /** Which containers a trigger may move; see `parseSelection`. */
  containers?: string;
  /** Who is followed: a host of the fog, or ADDRESS:PORT. */
  user?: string;
  /** How long something must have been so, in seconds. */
  seconds?: string;
  /** Milliseconds and percent by which another site must be nearer. */
  marginMs?: string;
  marginPercent?: string;
  /** Limits of use, in percent. */
  high?: string;
  low?: string;
  idle?: string;
  /** What is to stay free, such as `128m`. */
  memory?: string;
}

/** One move that was asked for. */
export interface Move {
  container: string;
  to: string;
  mode: MigrationMode;
}

/** A checkpoint that was asked for. */
export interface CheckpointOrder {
  container: string;
  filename: string;
}

type Message = Record<string, unknown>;

const MODES: readonly string[] = ['live', 'cold', 'elastic'];

/** The fault of a setting, by its word in the catalogue. */
export const invalid = (word: string, translate: Translate) =>
  new InvalidArgumentError(translate(`migrate.invalid.${word}`));

const choose = (said: unknown, own: string | undefined) => String(said ?? own ?? '').trim();

/** What a message asks for; what it does not say comes from the dialog. @throws {InvalidArgumentError} */
export function moveOf(settings: MigrateSettings, message: Message, translate: Translate): Move {
  const container = choose(message.container, settings.container);
  const to = choose(message.host, settings.to);
  if (container === '') throw invalid('container', translate);
  if (to === '') throw invalid('to', translate);
  return { container, to, mode: modeOf(settings, message, translate) };
}

/** @throws {InvalidArgumentError} */
export function modeOf(settings: MigrateSettings, message: Message, translate: Translate): MigrationMode {
  const mode = choose(message.mode, settings.mode) || 'live';
  if (!MODES.includes(mode)) throw invalid('mode', translate);
  return mode as MigrationMode;
}

/** Whether the container is to go to a file, and not to another host. */
export function isCheckpoint(settings: MigrateSettings, message: Message): boolean {
  return choose(message.mode, settings.mode) === 'checkpoint';
}

/** @throws {InvalidArgumentError} */
export function checkpointOf(
  settings: MigrateSettings,
  message: Message,
  translate: Translate,
): CheckpointOrder {
  const container = choose(message.container, settings.container);
  const filename = choose(message.filename, settings.filename);
  if (container === '') throw invalid('container', translate);
  if (filename === '') throw invalid('filename', translate);
  return { container, filename };
}
