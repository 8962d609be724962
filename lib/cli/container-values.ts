import { resolve } from 'node:path';
import { parseSize } from '../base';
import type { Device, Mount, Probe, PublishedPort, RestartPolicy } from '../container';
import { UsageError } from './command';

/** What the words of `garua run`'s options mean. Each function throws a UsageError that quotes the option. */

const LARGEST_PORT = 65_535;
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `NAME=VALUE` */
export function assignment(option: string): (words: string) => [string, string] {
  return (words) => {
    const equals = words.indexOf('=');
    if (equals < 1) throw new UsageError(`--${option} ${words} is not of the form NAME=VALUE`);
    return [words.slice(0, equals), words.slice(equals + 1)];
  };
}

/** `NAME:ADDRESS`; an IPv6 address holds colons itself. */
export function extraHost(words: string): [string, string] {
  const colon = words.indexOf(':');
  if (colon < 1) throw new UsageError(`--add-host ${words} is not of the form NAME:ADDRESS`);
  return [words.slice(0, colon), words.slice(colon + 1)];
}

/** `HOST:CONTAINER[:ro]`. As with Docker, a source without a slash names a volume. */
export function mount(words: string): Mount {
  const [source, target, mode, ...more] = words.split(':');
  if (!source || !target || more.length > 0 || (mode !== undefined && mode !== 'ro' && mode !== 'rw')) {
    throw new UsageError(`-v ${words} is not of the form HOST:CONTAINER[:ro] or VOLUME:CONTAINER[:ro]`);
  }
  if (!target.startsWith('/'))
    throw new UsageError(`-v ${words}: the path in the container must begin with /`);
  const isVolume = !source.includes('/') && source !== '.' && source !== '..';
  const readOnly = mode === 'ro';
  if (isVolume) return { type: 'volume', source, target, readOnly };
  return { source: resolve(source), target, readOnly };
}

/** `PATH[:SIZE]` */
export function temporaryMount(words: string): Mount {
  const [target = '', size, ...more] = words.split(':');
  if (!target.startsWith('/') || more.length > 0) {
    throw new UsageError(`--tmpfs ${words} is not of the form PATH[:SIZE]`);
  }
  return { type: 'tmpfs', target, ...(size === undefined ? {} : { size: bytes('tmpfs')(size) }) };
}

/** `[ADDRESS:]HOST:CONTAINER[/udp]` */
export function publishedPort(words: string): PublishedPort {
  const match = /^(?:(.+):)?(\d+):(\d+)(?:\/(tcp|udp))?$/.exec(words);
  if (!match) throw new UsageError(`-p ${words} is not of the form [ADDRESS:]HOST:CONTAINER[/udp]`);
  const [hostPort, containerPort] = [Number(match[2]), Number(match[3])];
  for (const port of [hostPort, containerPort]) {
    if (port < 1 || port > LARGEST_PORT) throw new UsageError(`-p ${words}: ${port} is not a port`);
  }
  const protocol = match[4] === 'udp' ? 'udp' : 'tcp';
  return { hostPort, containerPort, protocol, ...(match[1] ? { hostAddress: match[1] } : {}) };
}

/** `PATH[:PATH IN THE CONTAINER][:rwm]` */
export function device(words: string): Device {
  const match = /^(\/[^:]+)(?::(\/[^:]+))?(?::([rwm]{1,3}))?$/.exec(words);
  if (!match) throw new UsageError(`--device ${words} is not of the form PATH[:PATH IN THE CONTAINER][:rwm]`);
  const [, source = '', target, permissions] = match;
  return { source, ...(target ? { target } : {}), ...(permissions ? { permissions } : {}) };
}

/** `no`, `on-failure[:N]`, `always` or `unless-stopped` */
export function restartPolicy(words: string): RestartPolicy {
  const match = /^(?:(no|always|unless-stopped)|on-failure(?::(\d+))?)$/.exec(words);
  if (!match) {
    throw new UsageError(`--restart ${words} is none of no, on-failure[:N], always, unless-stopped`);
  }
  if (match[1]) return { policy: match[1] as RestartPolicy['policy'] };
  return { policy: 'on-failure', ...(match[2] ? { maximumRetries: Number(match[2]) } : {}) };
}

/** `http://[HOST]:PORT/PATH`, `tcp://[HOST]:PORT` or `exec:COMMAND`, which a shell in the container runs. */
export function probe(option: string): (words: string) => Probe {
  return (words) => {
    if (/^https?:\/\//.test(words)) return { http: words };
    const tcp = /^tcp:\/\/([^:/]*:\d+)$/.exec(words)?.[1];
    if (tcp) return { tcp: tcp.startsWith(':') ? Number(tcp.slice(1)) : tcp };
    const command = /^exec:(.+)$/s.exec(words)?.[1];
    if (command) return { exec: ['sh', '-c', command] };
    throw new UsageError(`--${option} ${words} is none of http://:PORT/PATH, tcp://:PORT, exec:COMMAND`);
  };
}

export function bytes(option: string): (words: string) => number {
  return (words) => {
    try {
      return parseSize(words);
    } catch (error) {
      throw new UsageError(`--${option}: ${(error as Error).message}`);
    }
  };
}

export function positiveNumber(option: string): (words: string) => number {
  return (words) => {
    const number = Number(words);
    if (words.trim() === '' || !(number > 0))
      throw new UsageError(`--${option} ${words} is not a number above 0`);
    return number;
  };
}

/** Milliseconds of `500ms`, `10s`, `2m` or `1h`. */
export function duration(option: string): (words: string) => number {
  return (words) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(words);
    if (!match) throw new UsageError(`--${option} ${words} is not a time such as 500ms, 10s or 2m`);
    return Math.round(Number(match[1]) * UNITS[match[2]!]!);
  };
}
