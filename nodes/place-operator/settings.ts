import { InvalidArgumentError } from '../../lib/base';
import type { PlacementWeights } from '../../lib/placement';
import type { Translate } from '../feedback';
import { type Program, type ProgramSettings, programOf } from './program';

/** What the dialog of a place-operator holds. */
export interface OperatorSettings extends ProgramSettings {
  /** Absent in flows that were made before there were containers. */
  runs?: 'subflow' | 'container';
  /** Id of a subflow of this flow file. A property `subflow` would make the runtime take the node for an instance. */
  subflowId?: string;
  cpu?: string | number;
  memory?: string | number;
  device?: string;
  /** Names of sites, with commas between them; empty for all. */
  sites?: string;
  /** Only this site. */
  pin?: string;
  /** 0: short ways, 50: little traffic, 100: cheap cores; between them both neighbours count. */
  preference?: string | number;
  /** The property that holds the key; empty: all messages go to one instance. */
  key?: string;
  least?: string | number;
  most?: string | number;
  /** Whether a last output tells where the operator runs, and why. */
  report?: boolean;
}

/** What an operator needs, checked. */
export interface OperatorNeeds {
  runs: { kind: 'subflow'; subflow: string } | Program;
  cpu: number;
  memory: number;
  device: string | undefined;
  allowed: string[] | undefined;
  pin: string | undefined;
  key: string | undefined;
  instances: { least: number; most: number };
  preference: number;
}

/** @throws {InvalidArgumentError} */
export function needsOf(settings: OperatorSettings, translate: Translate): OperatorNeeds {
  const refuse = (word: string) => new InvalidArgumentError(translate(`place-operator.invalid.${word}`));
  const subflow = settings.subflowId?.trim() ?? '';
  if (settings.runs !== 'container' && subflow === '') throw refuse('subflow');
  const number = (
    value: string | number | undefined,
    standard: number,
    word: string,
    fits: (n: number) => boolean,
  ) => {
    const found = value === undefined || value === '' ? standard : Number(value);
    if (!Number.isFinite(found) || !fits(found)) throw refuse(word);
    return found;
  };
  const cpu = number(settings.cpu, 0.25, 'cpu', (n) => n > 0 && n <= 64);
  const memory = number(settings.memory, 64, 'memory', (n) => n > 0);
  const preference = number(settings.preference, 25, 'preference', (n) => n >= 0 && n <= 100);
  const key = settings.key?.trim().replace(/^msg\./, '') || undefined;
  const least = key ? number(settings.least, 1, 'instances', isCount) : 1;
  const most = key ? number(settings.most, least, 'instances', isCount) : 1;
  if (most < least) throw refuse('instances');
  const sites = (settings.sites ?? '').split(',').map((site) => site.trim());
  const allowed = sites.filter((site) => site !== '');
  return {
    runs: settings.runs === 'container' ? programOf(settings, translate) : { kind: 'subflow', subflow },
    cpu,
    memory,
    device: settings.device?.trim() || undefined,
    allowed: allowed.length > 0 ? allowed : undefined,
    pin: settings.pin?.trim() || undefined,
    key,
    instances: { least, most },
    preference,
  };
}

const isCount = (n: number) => Number.isInteger(n) && n >= 1 && n <= 64;

/** All operators of a flow are placed together, so what their builders prefer is averaged. */
export function weightsOf(preferences: readonly number[]): PlacementWeights {
  const sum = { latency: 0, traffic: 0, resources: 0 };
  for (const preference of preferences) {
    const towardsTraffic = Math.min(preference, 50) / 50;
    const towardsResources = Math.max(preference - 50, 0) / 50;
    sum.latency += 1 - towardsTraffic;
    sum.traffic += towardsTraffic - towardsResources;
    sum.resources += towardsResources;
  }
  const parts = Math.max(1, preferences.length);
  return { latency: sum.latency / parts, traffic: sum.traffic / parts, resources: sum.resources / parts };
}
