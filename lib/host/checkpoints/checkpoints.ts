import type { DataDirectory, LongCall } from '../../base';
import { type ContainerEngine, type ContainerStatus, Policy } from '../../container';
import { formatReference, type ImageStore, parseReference } from '../../image';
import { type Checkpointer, CheckpointIncompatibleError } from '../../migration/checkpoint';
import { CheckpointReader, saveCheckpoint } from '../../migration/checkpoint-file';
import { type FileAccess, readBytes, writeBytes } from '../objects';
import { exactImage } from './exact-image';

export interface CheckpointOptions extends LongCall {
  /** For the dump alone, in milliseconds. Default 180,000. */
  timeoutMs?: number | undefined;
}

/** The document of `garua checkpoint --json`. */
export interface CheckpointResult {
  name: string;
  /** Bytes of the file. */
  size: number;
  /** How long the container stood still. */
  frozenMs: number;
  /** Of that, the writing of its processes. */
  dumpMs: number;
  seconds: number;
}

export interface RestoreOptions extends LongCall {
  /** Default: the name that it had. */
  name?: string | undefined;
}

/** The document of `garua restore --json`. */
export interface RestoreResult {
  container: ContainerStatus;
  /** `changed`: connections that were open have been closed for the program. `none`: it is on no bridge. */
  address: 'kept' | 'changed' | 'none';
  /** When the checkpoint was made, ISO 8601. */
  createdAt: string;
  seconds: number;
}

/** What checkpoint files need of the host. */
export interface CheckpointParts {
  name: string;
  directory: DataDirectory;
  checkpointer: Checkpointer;
  images: ImageStore;
  engine(): Promise<ContainerEngine>;
  /** Keeps an image from being pruned while the work runs. */
  keeping<T>(digest: string, work: () => Promise<T>): Promise<T>;
}

/** Makes a file of a running container, and a running container of a file. */
export class HostCheckpoints {
  constructor(private readonly parts: CheckpointParts) {}

  /** Appends to a file or a FIFO that is there. The container goes on. */
  async save(
    name: string,
    file: string,
    options: CheckpointOptions & FileAccess = {},
  ): Promise<CheckpointResult> {
    const { checkpointer, engine } = this.parts;
    const start = performance.now();
    const departure = await (await engine()).moves.depart(name, 'checkpoint');
    let times = { frozenMs: 0, dumpMs: 0 };
    const onThaw = (all: { dumpMs: number; stillMs: number }) => {
      times = { frozenMs: Math.round(all.stillMs), dumpMs: Math.round(all.dumpMs) };
    };
    const counter = { size: 0 };
    try {
      const bytes = saveCheckpoint(departure, checkpointer, { ...options, host: this.parts.name, onThaw });
      await writeBytes(file, counted(bytes, counter), options);
    } catch (error) {
      // Where the file could not even be opened nobody has asked for the first byte.
      await departure.resume().catch(() => {});
      throw error;
    }
    return { name, ...counter, ...times, seconds: (performance.now() - start) / 1000 };
  }

  /** From a file or a FIFO. */
  async load(file: string, options: RestoreOptions & FileAccess = {}): Promise<RestoreResult> {
    const { checkpointer, directory, keeping } = this.parts;
    const start = performance.now();
    const policy = await Policy.of(directory);
    policy.checkRestore();
    const reader = await CheckpointReader.open(readBytes(file, options));
    try {
      const { header } = reader;
      const { spec } = header.container;
      const name = options.name ?? spec.name;
      const reasons = await checkpointer.compare(header.facts);
      if (reasons.length > 0) throw new CheckpointIncompatibleError(name, reasons);
      const { digest, ref } = header.container.image;
      policy.checkImage(formatReference(parseReference(ref)));
      const loaded = await keeping(digest, () => this.#arrive(reader, { ...spec, name }, options));
      const { createdAt } = header;
      return { ...loaded, createdAt, seconds: (performance.now() - start) / 1000 };
    } finally {
      await reader.close();
    }
  }

  async #arrive(
    reader: CheckpointReader,
    spec: CheckpointReader['header']['container']['spec'],
    options: RestoreOptions,
  ): Promise<Pick<RestoreResult, 'container' | 'address'>> {
    const { checkpointer, engine, images } = this.parts;
    const { address, container, imageBytes } = reader.header;
    const image = await exactImage(images, container.image, options);
    const record = {
      spec,
      image: { ref: image.ref, digest: image.digest, config: image.config },
      layers: images.mounts(image.chainIds),
    };
    const request = { purpose: 'checkpoint', record, address, imageBytes } as const;
    const arrival = await (await engine()).moves.arrive(request, options);
    try {
      await reader.fill(arrival, options);
      options.onProgress?.({ phase: 'restoring', done: 0, total: 1, unit: 'steps' });
      await checkpointer.restore(arrival, { signal: options.signal });
      await arrival.probe(options.signal);
      return { container: await arrival.commit(), address: arrival.addressOutcome };
    } catch (error) {
      await arrival.abort();
      throw error;
    }
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  counter: { size: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    counter.size += chunk.length;
    yield chunk;
  }
}
