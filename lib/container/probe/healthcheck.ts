import type { ImageConfig } from '../../image/image';
import { type CompleteProbe, checkProbe, completeProbe } from '../spec/lifecycle';

/** Nanoseconds, in which Docker keeps times, in a millisecond. */
const NANOSECONDS = 1_000_000;
/** Docker's own, in milliseconds. */
const DEFAULT_TIME_MS = 30_000;
const DEFAULT_RETRIES = 3;

/**
 * The probe that an image brings: Docker's HEALTHCHECK, which other tools write too although it is not in the OCI image
 * specification. Undefined where there is none, or none that makes sense.
 */
export function imageHealthcheck(config: ImageConfig['config'] = {}): CompleteProbe | undefined {
  const { Test, Interval, Timeout, StartPeriod, Retries } = (config.Healthcheck ?? {}) as Record<
    string,
    unknown
  >;
  const [kind, ...words] = Array.isArray(Test) ? Test : [];
  const shell = Array.isArray(config.Shell) && config.Shell.length > 0 ? config.Shell : ['/bin/sh', '-c'];
  // `NONE` takes away what a base image has.
  const exec = kind === 'CMD' ? words : kind === 'CMD-SHELL' ? [...shell, ...words] : undefined;
  const probe = {
    exec,
    intervalMs: milliseconds(Interval) || DEFAULT_TIME_MS,
    timeoutMs: milliseconds(Timeout) || DEFAULT_TIME_MS,
    startPeriodMs: milliseconds(StartPeriod),
    failureThreshold: Number(Retries) || DEFAULT_RETRIES,
  };
  try {
    checkProbe(probe, 'Healthcheck');
    return completeProbe(probe);
  } catch {
    return undefined;
  }
}

function milliseconds(value: unknown): number {
  return typeof value === 'number' ? Math.ceil(value / NANOSECONDS) : 0;
}
