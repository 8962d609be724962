import type { ContainerSpec, Probe, RestartPolicy } from '../container';
import { invalidField } from '../errors';
import { fields, oneOf, text, textList, wholeNumber } from './checks';
import { portNumber } from './ports';

/** A probe without gaps. */
export type CompleteProbe = Required<Omit<Probe, 'http' | 'tcp' | 'exec'>> &
  Pick<Probe, 'http' | 'tcp' | 'exec'>;

const DAY_MS = 86_400_000;
const time = wholeNumber(1, DAY_MS, 'a time in milliseconds');
const threshold = wholeNumber(1, 1_000, 'a number of times');

export function checkRestart(value: unknown, field: string): void {
  fields(value, field, {
    policy: oneOf(['no', 'on-failure', 'always', 'unless-stopped']),
    maximumRetries: wholeNumber(1, 1_000_000, 'a number of times'),
  });
  const { policy, maximumRetries } = value as Partial<RestartPolicy>;
  if (policy === undefined) throw invalidField(`${field}.policy`, 'is missing');
  if (maximumRetries !== undefined && policy !== 'on-failure') {
    throw invalidField(`${field}.maximumRetries`, 'belongs to the policy on-failure only');
  }
}

export function checkProbe(value: unknown, field: string): void {
  fields(value, field, {
    http: checkUrl,
    tcp: checkTcp,
    exec: textList,
    intervalMs: time,
    timeoutMs: time,
    failureThreshold: threshold,
    successThreshold: threshold,
    startPeriodMs: wholeNumber(0, DAY_MS, 'a time in milliseconds'),
  });
  const { http, tcp, exec } = value as Probe;
  if ([http, tcp, exec].filter((question) => question !== undefined).length !== 1) {
    throw invalidField(field, 'needs exactly one of http, tcp and exec');
  }
  if (exec?.length === 0) throw invalidField(`${field}.exec`, 'is empty');
}

function checkUrl(value: unknown, field: string): void {
  text(value, field);
  const url = URL.parse(withHost(value));
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw invalidField(field, `"${value}" is not a URL such as http://:8080/health`);
  }
}

function checkTcp(value: unknown, field: string): void {
  const port = typeof value === 'number' ? value : /^[^:\s]*:(\d+)$/.exec(String(value))?.[1];
  if (port === undefined) throw invalidField(field, `"${value}" is neither a port nor HOST:PORT`);
  portNumber(Number(port), field);
}

/** `http://:8080/` means the container itself, but is no URL to a URL parser. */
export function withHost(url: string): string {
  return url.replace(/^(https?:\/\/)(?=[:/]|$)/, '$1localhost');
}

/** `probe` has passed `checkProbe`. */
export function completeProbe(probe: Probe): CompleteProbe {
  const defaults = { intervalMs: 10_000, timeoutMs: 5_000, failureThreshold: 3, successThreshold: 1 };
  return { ...defaults, startPeriodMs: 30_000, ...probe };
}

/** @throws {InvalidArgumentError} */
export function checkProbesReach({ liveness, readiness, network }: ContainerSpec): void {
  for (const [field, probe] of Object.entries({ liveness, readiness })) {
    if (network === 'none' && probe && !probe.exec) {
      throw invalidField(field, 'cannot reach a container without a network', 'Use an exec probe.');
    }
  }
}
