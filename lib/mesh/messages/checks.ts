import { MalformedMessageError } from './errors';
import type { Entry } from './queues/message-table';
import type { Mark } from './queues/queues';
import type { Subscriber } from './queues/subscriber-table';
import type { Arrival } from './roaming/roaming-rows';
import type { Roamer } from './roaming/roaming-table';

/** The most subscribers of one host; more are left out. */
const MAXIMUM_SUBSCRIBERS = 10_000;
const MAXIMUM_NAME = 250;
/** The last moment that a Date can say, in ms since the epoch. */
const LAST_TIME = 8.64e15;
/**
 * The newest version that another host may claim to have seen of this one's announcements: it is outdone, and what
 * outdoes it must remain a safe integer however often that happens. As a time it is far beyond any clock.
 */
const LATEST_VERSION = 2 ** 50;
/** Whoever holds a subscriber next must be able to count on. */
const LATEST_EPOCH = 2 ** 50;

/** What a host announces: its name and site, and who subscribes to what on it. */
export interface Announcement {
  host: string;
  site: string;
  version: number;
  subscribers: Subscriber[];
  /** Those that roam, and are held here. */
  roaming: Roamer[];
}

/** What goes ahead of the messages that a host has handed off. */
export interface Handover {
  topic: string;
  arrivals: Arrival[];
}

/** What goes ahead of the body of a message. */
export interface MessageHead extends Mark {
  topic: string;
  host: string;
  site: string;
  /** ms since the epoch, by the clock of the host that published it. */
  time: number;
  retain: boolean;
  retained: boolean;
  /** Of a subscriber that roams: under which the sender believes it to be here. */
  epoch: number | null;
}

/** Whether a text can name a topic or a subscriber. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAXIMUM_NAME &&
    !/[\x00-\x1f]/.test(value)
  );
}

/** What another host says is checked where it comes in. @throws {MalformedMessageError} */
export function checkHead(said: unknown): MessageHead {
  const head = checkMark(said) as MessageHead;
  const { topic, host, site, time, retain, retained, epoch = null } = head;
  const good =
    [topic, host, site].every(isName) &&
    isWhole(time, 0, LAST_TIME) &&
    [retain, retained].every((flag) => typeof flag === 'boolean') &&
    (epoch === null || isWhole(epoch, 1));
  if (!good) throw new MalformedMessageError('the head of a message');
  const { subscriber, queue, sequence } = head;
  return { topic, host, site, time, retain, retained, epoch, subscriber, queue, sequence };
}

/** @throws {MalformedMessageError} */
export function checkMark(said: unknown): Mark {
  const mark = (said ?? {}) as Mark;
  if (isName(mark.subscriber) && isName(mark.queue) && isWhole(mark.sequence, 1)) return mark;
  throw new MalformedMessageError('the place of a message');
}

/** @throws {MalformedMessageError} */
export function checkAnnouncement(said: unknown): Announcement {
  const { host, site, version, subscribers, roaming = [] } = (said ?? {}) as Announcement;
  const good =
    isName(host) &&
    isName(site) &&
    isWhole(version, 0) &&
    Array.isArray(subscribers) &&
    subscribers.every((one) => isName(one?.name) && isName(one.topic) && typeof one.retained === 'boolean') &&
    Array.isArray(roaming) &&
    roaming.every(isRoamer);
  if (!good) throw new MalformedMessageError('the announcement of subscribers');
  return {
    host,
    site,
    version,
    subscribers: subscribers.slice(0, MAXIMUM_SUBSCRIBERS),
    roaming: roaming.slice(0, MAXIMUM_SUBSCRIBERS),
  };
}

/** What another host answers to an announcement. @throws {MalformedMessageError} */
export function checkVersion(said: unknown): number {
  if (isWhole(said, 0, LATEST_VERSION)) return said;
  throw new MalformedMessageError('the version of an announcement');
}

function isRoamer(one: Roamer): boolean {
  return (
    isName(one?.name) &&
    isName(one.topic) &&
    isWhole(one.epoch, 1, LATEST_EPOCH) &&
    typeof one.gone === 'boolean'
  );
}

/** What a host tells of a subscriber that it has handed off. @throws {MalformedMessageError} */
export function checkHandover(said: unknown): Handover {
  const { topic, arrivals } = (said ?? {}) as Handover;
  const good =
    isName(topic) &&
    Array.isArray(arrivals) &&
    arrivals.every((one) => isName(one?.peer) && isName(one.queue) && isWhole(one.sequence, 0));
  if (!good) throw new MalformedMessageError('what was handed off');
  return { topic, arrivals: arrivals.map(({ peer, queue, sequence }) => ({ peer, queue, sequence })) };
}

/** A message that a host has handed off; the text is not in it. @throws {MalformedMessageError} */
export function checkEntry(said: unknown): Omit<Entry, 'body' | 'sequence'> {
  const { topic, peer, host, site, time, retain, retained } = (said ?? {}) as Entry;
  const good =
    [topic, peer, host, site].every(isName) &&
    isWhole(time, 0, LAST_TIME) &&
    [retain, retained].every((flag) => typeof flag === 'boolean');
  if (!good) throw new MalformedMessageError('a message that was handed off');
  return { topic, peer, host, site, time, retain, retained };
}

function isWhole(value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}
