import { formatSize, GaruaError } from '../../base';

/** The target cannot take the container. */
export class MigrationImpossibleError extends GaruaError {
  constructor(name: string, host: string, problems: readonly string[]) {
    super(
      'ERR_MIGRATION_IMPOSSIBLE',
      `container ${name} cannot move to ${host}: ${problems.join('; ')}`,
      'Remove what stands in the way, or choose another host or mode (--mode cold, --mode elastic).',
    );
  }
}

/** A container was to move to the host that it is on. */
export class MigrationToSelfError extends GaruaError {
  constructor(name: string, host: string) {
    super(
      'ERR_MIGRATION_TO_SELF',
      `container ${name} is on ${host} already`,
      'Name another host; garua sites lists them.',
    );
  }
}

/** The container is on its way already. */
export class MigrationRunningError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_MIGRATION_RUNNING',
      `container ${name} is being moved already`,
      'Wait until that has ended; garua ps shows it.',
    );
  }
}

/** As many migrations are under way as one host takes part in at a time. */
export class TooManyMigrationsError extends GaruaError {
  constructor(host: string, limit: number) {
    super(
      'ERR_MIGRATION_LIMIT',
      `${host} takes part in ${limit} migrations already`,
      'Wait until one of them has ended.',
    );
  }
}

/** Since the target was asked, others that are on their way there have been promised its memory. */
export class TargetMemoryError extends GaruaError {
  constructor(name: string, host: string, memory: number, free: number) {
    super(
      'ERR_MIGRATION_NO_MEMORY',
      `container ${name} uses ${formatSize(memory)} of memory, and ${formatSize(Math.max(0, free))} of ${host} are not promised to others`,
      'It goes on where it was. Choose another host, or wait until the others have arrived.',
    );
  }
}

/** What is said about a migration is not true any more. */
export class StaleMigrationError extends GaruaError {
  constructor(name: string, why: string) {
    super(
      'ERR_MIGRATION_STALE',
      `an old migration of container ${name} is refused: ${why}`,
      'Look where the container runs (garua ps on both hosts), then try again.',
    );
  }
}

/** The target was told to run the container, and cannot be asked whether it does. */
export class MigrationInDoubtError extends GaruaError {
  constructor(name: string, host: string, options?: ErrorOptions) {
    super(
      'ERR_MIGRATION_IN_DOUBT',
      `container ${name} was handed over to ${host}, which does not say whether it runs there; here it is frozen`,
      `It is settled as soon as ${host} can be reached. If ${host} is lost: garua migrate --resolve ${name} --here; ` +
        `if it runs there for certain: garua migrate --resolve ${name} --there.`,
      options,
    );
  }
}

/** There is nothing to settle by hand. */
export class NothingToResolveError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_MIGRATION_NOTHING_TO_RESOLVE',
      `no migration of a container named ${name} waits to be settled here`,
      'garua ps lists the containers of this host.',
    );
  }
}

/** The container stood still for longer than it may; it goes on where it was. */
export class StandstillTooLongError extends GaruaError {
  constructor(name: string, limitMs: number) {
    super(
      'ERR_MIGRATION_STANDSTILL',
      `container ${name} could not be handed over within ${limitMs} ms of standing still`,
      'It goes on where it was. The line hangs, or is slow for so much memory: garua migrate --standstill SECONDS gives it more time.',
    );
  }
}

/** What an application has exported is more than one call to another host can carry. */
export class StateTooLargeError extends GaruaError {
  constructor(name: string, size: number, limit: number) {
    super(
      'ERR_MIGRATION_STATE_TOO_LARGE',
      `the state that container ${name} has exported takes ${size} bytes, and at most ${limit} can go along`,
      'Let the application export less, or keep its state in a volume and move it in another mode (--mode live).',
    );
  }
}

/** Another host has sent a ticket that no host makes. */
export class TicketInvalidError extends GaruaError {
  constructor(why: string) {
    super(
      'ERR_MIGRATION_TICKET_INVALID',
      `the ticket of a migration is refused: ${why}`,
      'Use the same version of garua on both hosts.',
    );
  }
}
