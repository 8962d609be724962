import { formatSize, InvalidArgumentError, settleAll, throwIfAborted } from '../../base';
import { type ContainerEngine, ContainerNotFoundError, type ContainerRecord } from '../../container';
import type { FogMesh, MeshHost } from '../../mesh';
import type { HostFog } from '../fog';
import type { PeerGate } from '../peers';
import { nextHost, nextToGo } from './choose';
import { ScaleImpossibleError, ScaleRunningError, ScaleWithoutServiceError } from './errors';
import { linkOver, type ScaleLink, type Sight, serveScale } from './links';
import { OwnInstance, type OwnInstanceOptions } from './own-instance';
import type { ScaledInstance, ScaleOptions, ScaleResult } from './scale';
import { type Survey, type SurveyedHost, survey } from './survey';

const DRAIN_MS = 10_000;
const GRACE_MS = 10_000;
/** More than a fog has hosts. */
const MOST = 1_000;

export interface HostScaleOptions extends OwnInstanceOptions {
  fog: HostFog;
  peers: PeerGate;
  engine(): Promise<ContainerEngine>;
}

/** A host with an instance, and what it said of it. */
type Instance = SurveyedHost & { sight: Sight };

/** What one call works with. */
interface Work {
  name: string;
  service: string;
  record: ContainerRecord;
  /** Of the container whose record it is. */
  digest: string;
  hosts: SurveyedHost[];
  missing: string[];
  allowed: (host: { site: string }) => boolean;
  options: Required<Pick<ScaleOptions, 'replicas' | 'drainMs' | 'graceMs'>> & ScaleOptions;
}

/**
 * Runs one service's container on as many hosts of the fog as are wanted, under the same name and at most once on
 * each. Nothing is kept on record but the containers themselves: a call that was cut short, or that a host missed, is
 * made good by the next one.
 */
export class HostScale {
  readonly #options: HostScaleOptions;
  readonly #own: OwnInstance;
  readonly #scaling = new Set<string>();

  constructor(options: HostScaleOptions) {
    this.#options = options;
    this.#own = new OwnInstance(options);
  }

  /** Serves the hosts of the fog. */
  attach(mesh: FogMesh): void {
    const served: ScaleLink = {
      look: (name) => this.#own.look(name),
      record: (name) => this.#own.record(name),
      start: (request, signal) => this.#own.start(request, signal),
      // Of two hosts that scale it at once, each would keep its own instance and take away the other's.
      retire: async (request, signal) => {
        if (this.#scaling.has(request.name)) throw new ScaleRunningError(request.name);
        await this.#own.retire(request, signal);
      },
    };
    serveScale(mesh, served, (peerId) => this.#options.peers.check('containers', peerId));
  }

  /**
   * Brings about so many instances at these sites: starts those that are missing, replaces those of another version
   * than this host's, and then removes those that are too many, or elsewhere.
   *
   * @throws {InvalidArgumentError} {ContainerNotFoundError} {ScaleWithoutServiceError} {ScaleRunningError}
   *   {ScaleImpossibleError} when hosts are lacking; those that it has started stay
   */
  async scale(name: string, given: ScaleOptions): Promise<ScaleResult> {
    check(given);
    if (this.#scaling.has(name)) throw new ScaleRunningError(name);
    this.#scaling.add(name);
    try {
      const { drainMs = DRAIN_MS, graceMs = GRACE_MS } = given;
      const options = { ...given, drainMs, graceMs };
      const mesh = await this.#options.fog.meeting();
      options.onProgress?.({ phase: 'looking', done: 0, total: 1, unit: 'steps' });
      const hosts = this.#hosts(mesh);
      const found = await survey(hosts, (host) => this.#linkOf(mesh, host), name, options.signal);
      const work = await plan(name, found, options);
      if (options.replicas > 0) {
        await startMissing(work);
        await replaceOld(work);
      }
      await removeExcess(work);
      const instances = resultOf(work);
      const { missing, service } = work;
      return { name, service, replicas: options.replicas, instances, ...(missing.length > 0 && { missing }) };
    } finally {
      this.#scaling.delete(name);
    }
  }

  #linkOf(mesh: FogMesh, { self, peerId }: MeshHost): ScaleLink {
    return self ? this.#own : linkOver(mesh, peerId);
  }

  /** Without a fog this host is all there is. */
  #hosts(mesh: FogMesh): MeshHost[] {
    const hosts = mesh.hosts();
    if (hosts.length > 0) return hosts;
    const { name, peerId, site } = mesh;
    const unknown = { addresses: [], lastSeen: null, throughput: null, abilities: null, load: null };
    return [{ name, peerId, site, state: 'up', self: true, rttMs: 0, ...unknown }];
  }
}

function check({ replicas, sites = [] }: ScaleOptions): void {
  if (!Number.isSafeInteger(replicas) || replicas < 0 || replicas > MOST) {
    throw new InvalidArgumentError(`${replicas} is not a number of instances`, 'Give a whole number from 0.');
  }
  if (!Array.isArray(sites) || sites.some((site) => typeof site !== 'string')) {
    throw new InvalidArgumentError('sites is not a list of names');
  }
}

async function plan(name: string, found: Survey, options: Work['options']): Promise<Work> {
  const { hosts, missing } = found;
  const unknown = options.sites?.find((site) => !hosts.some((host) => host.site === site));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `the site ${unknown} has no host that is up`,
      'garua sites lists the sites.',
    );
  }
  const origin = instancesOf(hosts).sort(byAge)[0];
  if (!origin) throw new ContainerNotFoundError(name);
  const record = await origin.link.record(name, options.signal);
  const { service } = origin.sight;
  if (service === null) throw new ScaleWithoutServiceError(name);
  const allowed = ({ site }: { site: string }) => !options.sites?.length || options.sites.includes(site);
  // The image is of this architecture.
  const fitting = hosts.filter(
    ({ arch, sight }) => sight !== null || arch === null || origin.arch === null || arch === origin.arch,
  );
  const digest = origin.sight.specDigest;
  return { name, service, record, digest, hosts: fitting, missing, allowed, options };
}

/** This host's own first, then those started last: theirs is the newest version. */
function byAge(one: Instance, other: Instance): number {
  const since = ({ sight }: Instance) => (sight.startedAt === null ? 0 : Date.parse(sight.startedAt));
  return Number(other.here) - Number(one.here) || since(other) - since(one);
}

function instancesOf(hosts: SurveyedHost[]): Instance[] {
  return hosts.filter((host): host is Instance => host.sight !== null);
}

/** Those that run, of this service. */
const runningOf = ({ hosts, service }: Work) =>
  instancesOf(hosts).filter(({ sight }) => sight.running && sight.service === service);

async function startMissing(work: Work): Promise<void> {
  const { allowed, hosts, name, options, service, record } = work;
  const { replicas } = options;
  const failures = [...work.missing];
  const fits = ({ memory }: SurveyedHost) => memory === null || memory >= (record.spec.memory ?? 0);
  let candidates = hosts.filter(
    (host) => allowed(host) && !host.sight?.running && (!host.sight || host.sight.service === service),
  );
  for (const host of candidates.filter((one) => !fits(one)))
    failures.push(`${host.name} has ${formatSize(host.freeMemory)} of memory free`);
  candidates = candidates.filter(fits);
  const running = () => runningOf(work).filter(allowed);
  const lacking = replicas - running().length - candidates.length;
  const impossible = () =>
    new ScaleImpossibleError(name, replicas, Math.min(replicas, running().length + candidates.length), [
      ...failures,
      'each host runs one at most',
    ]);
  if (lacking > 0) throw impossible();
  while (running().length < replicas) {
    const taken = running().map(({ site }) => site);
    const next = nextHost(candidates, taken);
    if (!next) throw impossible();
    candidates = candidates.filter((host) => host !== next);
    await start(work, next).catch((error) => {
      throwIfAborted(options.signal, `scaling ${name}`);
      failures.push(`${next.name}: ${(error as Error).message}`);
    });
  }
}

async function start(work: Work, host: SurveyedHost): Promise<void> {
  const { name, record, options } = work;
  const done = runningOf(work).length;
  options.onProgress?.({ phase: 'starting', done, total: options.replicas, unit: 'items' });
  await host.link.start({ record, drainMs: options.drainMs }, options.signal);
  host.sight = await host.link.look(name, options.signal);
}

/** One at a time, while the others serve. */
async function replaceOld(work: Work): Promise<void> {
  const old = runningOf(work).filter((host) => work.allowed(host) && host.sight.specDigest !== work.digest);
  for (const host of old) await start(work, host);
}

async function removeExcess(work: Work): Promise<void> {
  const { allowed, name, service, options } = work;
  const { replicas, drainMs, graceMs, signal, onProgress } = options;
  const elsewhere = runningOf(work).filter((host) => !allowed(host));
  const idle = instancesOf(work.hosts).filter(({ sight }) => !sight.running && sight.service === service);
  // What does not run is left alone, unless nothing is to be left.
  const leaving = replicas === 0 ? [...elsewhere, ...idle] : elsewhere;
  const staying = runningOf(work).filter(allowed);
  while (staying.length > replicas) {
    const next = nextToGo(staying.map((host) => ({ ...host, ...host.sight, host })))!.host;
    staying.splice(staying.indexOf(next), 1);
    leaving.push(next);
  }
  let done = 0;
  const tell = () => onProgress?.({ phase: 'draining', done, total: leaving.length, unit: 'items' });
  if (leaving.length > 0) tell();
  // All at once: those that stay serve alone already.
  await settleAll(
    leaving.map(async (host: SurveyedHost) => {
      await host.link.retire({ name, service, drainMs, graceMs }, signal);
      host.sight = null;
      done += 1;
      tell();
    }),
  );
}

function resultOf(work: Work): ScaledInstance[] {
  const order = (one: SurveyedHost, other: SurveyedHost) =>
    one.site.localeCompare(other.site) || one.name.localeCompare(other.name);
  return runningOf(work)
    .sort(order)
    .map(({ name: host, site, sight }) => ({
      ...{ container: work.name, host, site },
      state: sight.ready ? 'ready' : 'not-ready',
    }));
}
