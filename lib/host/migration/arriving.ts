import { type DataDirectory, InvalidArgumentError } from '../../base';
import { type Arrival, type ContainerEngine, Policy } from '../../container';
import { formatReference, type ImageStore, parseReference } from '../../image';
import {
  type ImageName,
  type MigrationTarget,
  type PrepareRequest,
  TargetMemoryError,
  TooManyMigrationsError,
} from '../../migration/protocol';
import { exactImage } from '../checkpoints';
import { availableMemory } from './preflight';

/** Migrations that one host begins, and takes in, at a time. */
export const LIMIT = 3;
const PAGE = 4096;

export interface ArrivingParts {
  directory: DataDirectory;
  images: ImageStore;
  engine(): Promise<ContainerEngine>;
  /** Keeps an image from being pruned while the work runs. */
  keeping<T>(digest: string, work: () => Promise<T>): Promise<T>;
}

/** Makes ready for containers that come. */
export class Arriving {
  readonly #parts: ArrivingParts;
  readonly #target: Pick<MigrationTarget, 'expected' | 'promisedMemory'>;
  readonly #hostName: () => string;
  #pageLimit = 0;
  #haveBegun = false;

  constructor(
    parts: ArrivingParts,
    target: Pick<MigrationTarget, 'expected' | 'promisedMemory'>,
    hostName: () => string,
  ) {
    this.#parts = parts;
    this.#target = target;
    this.#hostName = hostName;
  }

  /** Whether anything has ever arrived, so that something of it may be left to remove. */
  get haveBegun(): boolean {
    return this.#haveBegun;
  }

  /** How many pages of memory there is room for ahead of a dump. */
  get pageLimit(): number {
    return this.#pageLimit;
  }

  /** Brings the image of a container here that is about to come. */
  async fetch(image: ImageName): Promise<void> {
    const policy = await Policy.of(this.#parts.directory);
    policy.checkImage(formatReference(parseReference(image.ref)));
    await this.#parts.keeping(image.digest, () => exactImage(this.#parts.images, image, {}));
  }

  /** @throws what stands in the way of the container */
  async arrive({ ticket, record, address, memory, start }: PrepareRequest): Promise<Arrival> {
    // The protocol goes by the ticket's name: it must not lead to another container of this host.
    if (ticket.name !== record.spec.name) {
      throw new InvalidArgumentError(`a ticket for ${ticket.name} cannot bring ${record.spec.name}`);
    }
    if (this.#target.expected > LIMIT) throw new TooManyMigrationsError(this.#hostName(), LIMIT);
    const { directory, engine, images, keeping } = this.#parts;
    // Before anything is fetched: whatever the source asked before, it may send what it likes.
    await (await engine()).validate(record.spec);
    const policy = await Policy.of(directory);
    policy.checkImage(formatReference(parseReference(record.image.ref)));
    if (start === 'restore') policy.checkRestore('taking in running processes');
    const free = (await availableMemory()) - this.#target.promisedMemory;
    // Another may have been promised the same since its source asked.
    if (memory > free) throw new TargetMemoryError(ticket.name, this.#hostName(), memory, free);
    this.#haveBegun = true;
    this.#pageLimit = Math.floor((await availableMemory()) / 4 / PAGE);
    return keeping(record.image.digest, async () => {
      const image = await exactImage(images, record.image, {});
      const here = {
        spec: record.spec,
        image: { ref: image.ref, digest: image.digest, config: image.config },
        layers: images.mounts(image.chainIds),
      };
      const request = { purpose: 'migration', record: here, address, imageBytes: memory } as const;
      return (await engine()).moves.arrive(request);
    });
  }
}
