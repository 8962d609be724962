import type { Journal } from '../base';
import type { Disk } from './disk/disk';
import type { ObjectIndex } from './index/object-index';
import type { Tasks } from './index/tasks';
import type { Nas } from './nas/nas';
import type { Locator, Quota, Sites } from './store';

/** How long the store waits for others, in milliseconds. */
export interface StoreLimits {
  /** One call to the NAS's file system. */
  nasMs: number;
  /** Whether a host has an object. */
  haveMs: number;
  /** The next block of a host that sends an object. */
  blockMs: number;
  /** The locator's answers. */
  locatorMs: number;
  /** How long an object on its way out can be taken back; also what a reader on another host has to finish. */
  evictionGraceMs: number;
  /** Between two rounds of repair. */
  repairMs: number;
}

export const DEFAULT_LIMITS: StoreLimits = {
  nasMs: 30_000,
  haveMs: 3000,
  blockMs: 20_000,
  locatorMs: 10_000,
  evictionGraceMs: 120_000,
  repairMs: 30_000,
};

/** What the store's parts share. */
export interface StoreParts {
  nas: Nas;
  /** This host's own disk, for objects on their way through while the NAS is in trouble. */
  spool: { disk: Disk; folder: string };
  index: ObjectIndex;
  tasks: Tasks;
  journal: Journal;
  /** Absent for a store that is alone. */
  sites?: Sites | undefined;
  locator?: Locator | undefined;
  site: string;
  writer: string;
  quota: Quota;
  limits: StoreLimits;
}
