import type { ContainerStatus } from '../../lib/container';

/**
 * Knows the last state that was told of each container, so that every change is told once: reports come
 * from calls and from watching, and may overtake each other.
 */
export class StateTracker {
  readonly #told = new Map<string, ContainerStatus>();
  /** When containers were removed (ms since 1970): what happened before that is no news any more. */
  readonly #removed = new Map<string, number>();

  /** Whether anything has been told of the container. */
  knows(name: string): boolean {
    return this.#told.has(name);
  }

  /** Remembers a state; answers whether it is news. Of a container that nobody has heard of, its removal is none. */
  note(status: ContainerStatus): boolean {
    const told = this.#told.get(status.name);
    if (told && (isSame(told, status) || isOlder(status, told))) return false;
    if (!told && (status.state === 'removed' || moment(status) <= (this.#removed.get(status.name) ?? -1))) {
      return false;
    }
    if (status.state === 'removed') this.remove(status.name);
    else this.#told.set(status.name, status);
    return true;
  }

  remove(name: string): void {
    this.#told.delete(name);
    this.#removed.set(name, Date.now());
  }
}

function isSame(one: ContainerStatus, other: ContainerStatus): boolean {
  return (
    one.state === other.state &&
    one.pid === other.pid &&
    one.exitCode === other.exitCode &&
    one.startedAt === other.startedAt &&
    one.finishedAt === other.finishedAt &&
    one.specDigest === other.specDigest &&
    one.health === other.health &&
    one.restarts === other.restarts &&
    one.rolledBack?.time === other.rolledBack?.time
  );
}

function isOlder(status: ContainerStatus, than: ContainerStatus): boolean {
  const [left, right] = [life(status), life(than)];
  if (left !== right) return left < right;
  return ORDER.indexOf(status.state) < ORDER.indexOf(than.state);
}

/** A restarted container begins a new life. */
function life({ startedAt, finishedAt }: ContainerStatus): number {
  return Date.parse(startedAt ?? finishedAt ?? '') || 0;
}

/** A life goes this way. */
const ORDER: ContainerStatus['state'][] = [
  'created',
  'running',
  'restarting',
  'stopped',
  'failed',
  'removed',
];

/** When the last thing happened to it. */
function moment({ startedAt, finishedAt }: ContainerStatus): number {
  return Math.max(...[startedAt, finishedAt].map((time) => (time === null ? 0 : Date.parse(time))));
}
