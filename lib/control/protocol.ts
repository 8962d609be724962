import type { ErrorDocument, Progress } from '../base';
import type { Host } from '../host';
import { MAXIMUM_BODY } from '../mesh';

/**
 * The control protocol: one call per connection on a Unix socket, JSON lines. The caller sends one request
 * line and keeps its side open; the owner answers with any number of progress and item lines and one result
 * or error line. Ending the caller's side before that cancels the call; a stream then still delivers what it
 * has ready. A connection per call gives every
 * stream its own back-pressure for free.
 */
export interface Request {
  method: keyof Host;
  /** The call's arguments; `signal` and `onProgress` are left out of the options, being no data. */
  arguments: unknown[];
}

export type Response =
  | { progress: Progress }
  | { item: unknown }
  /** null when the call returns nothing. */
  | { result: unknown }
  | { error: ErrorDocument };

/** The calls that answer with items until they are cancelled or done. */
export const STREAMS = {
  logs: 1,
  exec: 2,
  watch: 0,
  subscribe: 1,
  operatorPort: 1,
  placeFlow: 1,
} as const satisfies Partial<Record<keyof Host, number>>;

/** The calls that answer with one result, and at which argument their options stand. */
export const CALLS = {
  info: 0,
  examine: 0,
  pull: 1,
  images: 0,
  removeImage: 1,
  prune: 0,
  resolveImage: 1,
  devices: 0,
  deploy: 1,
  containers: 0,
  container: 1,
  start: 1,
  stop: 1,
  remove: 1,
  wait: 1,
  execPlan: 2,
  stats: 0,
  checkpoint: 2,
  migrate: 1,
  scale: 1,
  resolveMigration: 2,
  forwards: 0,
  outlook: 0,
  restore: 1,
  volumes: 0,
  removeVolume: 1,
  put: 1,
  get: 2,
  where: 1,
  pin: 1,
  unpin: 1,
  scrub: 0,
  gc: 0,
  fogCreate: 0,
  fogInvite: 0,
  fogJoin: 1,
  fogRevoke: 1,
  fog: 0,
  sites: 0,
  services: 0,
  useService: 1,
  releaseService: 1,
  publish: 2,
  acknowledge: 2,
  queues: 0,
  forgetQueue: 1,
  expectSubscriber: 2,
  roam: 1,
  handOff: 1,
  takeOver: 1,
  takeBack: 1,
  releaseSubscriber: 1,
  roaming: 0,
  answerPort: 3,
  removeFlow: 1,
  operators: 0,
  moveOperator: 3,
  scaleOperator: 3,
} as const satisfies Record<Exclude<keyof Host, 'close' | keyof typeof STREAMS>, number>;

/** The calls that may be sent again when the connection broke in the middle. */
export const REPEATABLE: ReadonlySet<string> = new Set<keyof Host>([
  'info',
  'examine',
  'pull',
  'images',
  'prune',
  'resolveImage',
  'devices',
  'deploy',
  'containers',
  'container',
  'start',
  'stop',
  'wait',
  'logs',
  'watch',
  'subscribe',
  'operatorPort',
  'acknowledge',
  'queues',
  'forgetQueue',
  'expectSubscriber',
  'roam',
  'handOff',
  'takeOver',
  'takeBack',
  'releaseSubscriber',
  'roaming',
  'answerPort',
  'placeFlow',
  'removeFlow',
  'operators',
  'moveOperator',
  'scaleOperator',
  'execPlan',
  'stats',
  'forwards',
  'outlook',
  'volumes',
  'where',
  'pin',
  'unpin',
  'scrub',
  'gc',
  'fog',
  'sites',
  'services',
  'useService',
  'releaseService',
  'scale',
]);

/** The longest line that is accepted: the largest message with its escapes fits. */
export const MAXIMUM_LINE = 2 * MAXIMUM_BODY + (1 << 20);

/** Splits a byte stream into parsed JSON lines. */
export class JsonLines<T> {
  #rest: string[] = [];
  #length = 0;

  /** @throws {SyntaxError} when a line is not JSON, {RangeError} when it is too long. */
  push(text: string): T[] {
    const [first, ...more] = text.split('\n') as [string, ...string[]];
    this.#rest.push(first);
    this.#length += first.length;
    if (this.#length > MAXIMUM_LINE) throw new RangeError('line too long');
    if (more.length === 0) return [];
    // A long line is put together once, not with each piece of it.
    const lines = [this.#rest.join(''), ...more];
    this.#rest = [lines.pop()!];
    this.#length = this.#rest[0]!.length;
    return lines.map((line) => JSON.parse(line) as T);
  }
}
