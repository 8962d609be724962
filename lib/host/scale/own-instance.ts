import { type DataDirectory, InvalidArgumentError, throwIfAborted } from '../../base';
import { type ContainerEngine, ContainerNotFoundError, type ContainerRecord, Policy } from '../../container';
import type { ImageStore } from '../../image';
import { exactImage } from '../checkpoints';
import type { HostServices } from '../services';
import { ScaleWithoutServiceError } from './errors';
import type { RetireRequest, ScaleLink, Sight, StartRequest } from './links';

export interface OwnInstanceOptions {
  directory: DataDirectory;
  images: ImageStore;
  services: HostServices;
  engine(): Promise<ContainerEngine>;
  /** Keeps an image from being pruned while the work runs. */
  keeping<T>(digest: string, work: () => Promise<T>): Promise<T>;
}

/** What scaling does on this host. */
export class OwnInstance implements ScaleLink {
  readonly #options: OwnInstanceOptions;

  constructor(options: OwnInstanceOptions) {
    this.#options = options;
  }

  async look(name: string): Promise<Sight | null> {
    const { engine, services } = this.#options;
    const status = (await (await engine()).list()).find((container) => container.name === name);
    if (!status) return null;
    const { service, state, health, specDigest, startedAt } = status;
    return {
      ...{ service: service?.name ?? null, specDigest, startedAt },
      running: state === 'running' || state === 'restarting',
      ready: state === 'running' && (health === 'none' || health === 'healthy'),
      recent: services.trafficOf(name).recent,
    };
  }

  async record(name: string): Promise<ContainerRecord> {
    const record = await (await this.#options.engine()).record(name);
    // Others are nobody's business: their variables may hold secrets.
    if (record.spec.service === undefined) throw new ScaleWithoutServiceError(name);
    // The layers lie elsewhere on another host.
    return { ...record, layers: [] };
  }

  /**
   * Makes the container run as the record says, and waits until it is ready. One that runs otherwise is drained, and
   * replaced; one that offers another service is not touched. Nothing stays of a new one that does not become ready.
   */
  async start({ record, drainMs }: StartRequest, signal?: AbortSignal): Promise<void> {
    const { directory, images, keeping } = this.#options;
    const { spec } = record;
    if (spec.service === undefined) throw new ScaleWithoutServiceError(spec.name);
    const engine = await this.#options.engine();
    await engine.validate(spec);
    (await Policy.of(directory)).checkImage(record.image.ref);
    const before = await this.look(spec.name);
    if (before && before.service !== spec.service) throw new NameTakenError(spec.name, before.service);
    await keeping(record.image.digest, async () => {
      const image = await exactImage(images, record.image, { signal });
      throwIfAborted(signal, `the start of ${spec.name}`);
      const deploy = () =>
        engine.deploy(spec, image, images.mounts(image.chainIds), { signal, waitReady: true });
      if (before?.running) await this.#drained(spec.name, drainMs, signal, deploy);
      else await deploy().catch((error) => this.#unmake(spec.name, before, error));
    });
  }

  async #unmake(name: string, before: Sight | null, error: unknown): Promise<never> {
    const remove = async () => (await this.#options.engine()).remove(name, { force: true, graceMs: 0 });
    if (!before) await remove().catch(() => {});
    throw error;
  }

  /** Ends an instance once its connections have, and removes it; its volumes stay. It may have gone already. */
  async retire({ name, service, drainMs, graceMs }: RetireRequest, signal?: AbortSignal): Promise<void> {
    const engine = await this.#options.engine();
    const sight = await this.look(name);
    if (!sight) return;
    if (sight.service !== service) throw new NameTakenError(name, sight.service);
    await this.#drained(name, drainMs, signal, async () => {
      await engine.remove(name, { force: true, graceMs, signal }).catch((error) => {
        if (!(error instanceof ContainerNotFoundError)) throw error;
      });
    });
  }

  async #drained<T>(
    name: string,
    drainMs: number,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const limit = AbortSignal.timeout(drainMs);
    const undo = await this.#options.services.drain(name, signal ? AbortSignal.any([signal, limit]) : limit);
    try {
      throwIfAborted(signal, `the end of ${name}`);
      return await work();
    } finally {
      // What bears its name from here on is another.
      undo();
    }
  }
}

/** A container of that name is there, and is none of the service. */
class NameTakenError extends InvalidArgumentError {
  constructor(name: string, service: string | null) {
    const offers = service === null ? 'offers no service' : `offers the service ${service}`;
    super(`the host has another container named ${name}, which ${offers}`, 'Give one of them another name.');
  }
}
