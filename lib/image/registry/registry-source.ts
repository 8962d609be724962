import { AbortedError } from '../../base';
import type {
  BlobReader,
  Credentials,
  Descriptor,
  Digest,
  DocumentCache,
  ImageSource,
  Platform,
  ResolvedImage,
} from '../image';
import {
  ACCEPTED_MANIFESTS,
  digestOf,
  ImageUnknownError,
  MAX_CONFIG_SIZE,
  MAX_MANIFEST_SIZE,
  ManifestDigestMismatchError,
  resolveImage,
  verifyDigest,
} from '../manifest';
import { formatReference, isDigest, type RegistryReference } from '../reference';
import { readBlobResponse } from './blob-reader';
import { RegistryClient } from './client';
import { endpointsOf, type RegistryConfiguration } from './configuration';
import { type CredentialPlaces, findLogin } from './credentials';
import { RegistryError, RegistryTimeoutError, RegistryUnreachableError } from './errors';
import { NearDocuments } from './near-documents';
import { discard, type RegistryTimeouts, Transport } from './transport';

export interface RegistrySourceOptions {
  /** Allow plain http and unverified certificates for this registry. */
  insecure?: boolean | undefined;
  /** For the reference's registry, not for its mirrors. */
  credentials?: Credentials | undefined;
  configuration?: RegistryConfiguration | undefined;
  /** Where stored credentials are looked for. */
  credentialPlaces?: Omit<CredentialPlaces, 'given'> | undefined;
  timeouts?: RegistryTimeouts | undefined;
  /** Asked for manifests and configurations before the registry is. */
  documents?: DocumentCache | undefined;
}

const EMPTY: BlobReader = { read: async () => undefined, close() {} };

/** An image in a registry, or in one of its mirrors. */
export class RegistryImageSource implements ImageSource {
  readonly origin = 'registry';
  readonly #reference: RegistryReference;
  readonly #transport: Transport;
  readonly #documents: DocumentCache | undefined;
  #clients: RegistryClient[];
  #kept: Promise<void> = Promise.resolve();

  /** Opens no connection yet. @throws {RegistryConfigurationError} */
  constructor(reference: RegistryReference, options: RegistrySourceOptions = {}) {
    this.#reference = reference;
    this.#transport = new Transport(options.timeouts);
    this.#documents = options.documents;
    const { registry, repository } = reference;
    const given = options.credentials ? { registry, credentials: options.credentials } : undefined;
    const endpoints = endpointsOf(registry, options.configuration, options.insecure);
    this.#clients = endpoints.map((endpoint) => {
      const places = { ...options.credentialPlaces, given };
      return new RegistryClient(endpoint, repository, this.#transport, (signal) =>
        findLogin(endpoint.registry, places, signal),
      );
    });
  }

  get requests(): number {
    return this.#transport.requests;
  }

  /**
   * A digest whose documents are near is resolved without the registry. A tag that the site knows costs one small
   * request; when the registry cannot be reached, it means what it meant last, with a warning.
   */
  async resolve(platform: Platform, signal?: AbortSignal): Promise<ResolvedImage> {
    const name = formatReference(this.#reference);
    const near = new NearDocuments(this.#documents, name);
    const warnings: string[] = [];
    const top = await this.#topDocument(near, warnings, signal);
    const image = await resolveImage(
      {
        name,
        readManifest: ({ digest }) =>
          near.read(digest, MAX_MANIFEST_SIZE, signal, () => this.#fetchManifest(digest, signal)),
        readConfig: (descriptor) =>
          near.read(descriptor.digest, MAX_CONFIG_SIZE, signal, () => this.#fetchConfig(descriptor, signal)),
      },
      top,
      platform,
      signal,
    );
    // Nobody waits for it here, and one that fails only costs those who come later a request.
    this.#kept = near.keep(this.#reference.digest ? undefined : digestOf(top)).catch(() => {});
    return { ...image, origin: near.origin, warnings };
  }

  kept(): Promise<void> {
    return this.#kept;
  }

  async #topDocument(near: NearDocuments, warnings: string[], signal?: AbortSignal): Promise<Uint8Array> {
    const { tag, digest } = this.#reference;
    const meaning = digest ?? (await this.#meaningOf(tag!, near, warnings, signal));
    if (meaning) {
      return near.read(meaning, MAX_MANIFEST_SIZE, signal, () => this.#fetchManifest(meaning, signal));
    }
    const bytes = await this.#fetchManifest(tag!, signal);
    near.add(digestOf(bytes), bytes);
    return bytes;
  }

  /** The digest behind a tag, asked for only when its documents may be near; undefined when nobody says it. */
  async #meaningOf(
    tag: string,
    near: NearDocuments,
    warnings: string[],
    signal?: AbortSignal,
  ): Promise<Digest | undefined> {
    const last = await near.lastDigest();
    if (!last) return undefined;
    const what = `image ${formatReference(this.#reference)}`;
    const request = { headers: { accept: ACCEPTED_MANIFESTS.join(', ') }, signal, method: 'HEAD' as const };
    try {
      return await this.#anywhere(async (client) => {
        const response = await client.get(what, `manifests/${tag}`, request);
        discard(response);
        const announced = response.headers['docker-content-digest'];
        return isDigest(announced) ? announced : undefined;
      });
    } catch (error) {
      if (!isAway(error)) throw error;
      const { message } = error as Error;
      warnings.push(`${message}; ${what} is taken for what this site pulled last, ${last}`);
      return last;
    }
  }

  /**
   * The blob from a byte offset on. Undefined when neither the registry nor a mirror has it; errors that may
   * pass have `temporary` set, also those of later reads.
   */
  async openBlob(
    descriptor: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): Promise<BlobReader | undefined> {
    const { digest, size } = descriptor;
    if (offset >= size) return EMPTY;
    const what = `blob ${digest} of ${this.#reference.repository}`;
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    try {
      return await this.#anywhere(async (client) => {
        const response = await client.get(what, `blobs/${digest}`, { headers, signal });
        return readBlobResponse(response, offset, size, { what, idleMs: this.#transport.idleMs, signal });
      });
    } catch (error) {
      if (error instanceof ImageUnknownError) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#kept;
    this.#transport.close();
  }

  #fetchManifest(tagOrDigest: string, signal?: AbortSignal): Promise<Uint8Array> {
    const what = `image ${formatReference(this.#reference)}`;
    const request = { headers: { accept: ACCEPTED_MANIFESTS.join(', ') }, signal };
    return this.#anywhere(async (client) => {
      const path = `manifests/${tagOrDigest}`;
      const { bytes, headers } = await client.getDocument(what, path, MAX_MANIFEST_SIZE, request);
      if (isDigest(tagOrDigest)) verifyDigest(`the manifest of ${what}`, bytes, tagOrDigest);
      const announced = headers['docker-content-digest'];
      if (isDigest(announced) && announced !== digestOf(bytes)) {
        throw new ManifestDigestMismatchError(`the manifest of ${what}`, announced, digestOf(bytes));
      }
      return bytes;
    });
  }

  #fetchConfig({ digest, size }: Descriptor, signal?: AbortSignal): Promise<Uint8Array> {
    const what = `the configuration of ${formatReference(this.#reference)}`;
    const limit = Math.min(size, MAX_CONFIG_SIZE);
    return this.#anywhere(async (client) => {
      const { bytes } = await client.getDocument(what, `blobs/${digest}`, limit, { signal });
      verifyDigest(what, bytes, digest);
      return bytes;
    });
  }

  /**
   * Asks one endpoint after the other. A mirror may fail in any way. The registry's own second endpoint is
   * only another scheme: it is asked when the first has not answered at all, until one of them has worked.
   */
  async #anywhere<T>(ask: (client: RegistryClient) => Promise<T>): Promise<T> {
    let failure: unknown;
    let ownFailure: unknown;
    for (const client of this.#clients) {
      try {
        const result = await ask(client);
        this.#prefer(client);
        return result;
      } catch (error) {
        if (!mayTryNext(client, error)) throw error;
        failure = error;
        // "Does not speak TLS" must not hide what the registry's real scheme had to say.
        if (
          !client.endpoint.mirror &&
          (!ownFailure || (isWrongScheme(ownFailure) && !isWrongScheme(error)))
        ) {
          ownFailure = error;
        }
      }
    }
    throw ownFailure ?? failure;
  }

  /** What works comes first from then on, and settles the scheme. */
  #prefer(client: RegistryClient): void {
    if (this.#clients[0] === client && client.endpoint.mirror) return;
    const others = this.#clients.filter(
      (other) => other !== client && (other.endpoint.mirror || client.endpoint.mirror),
    );
    this.#clients = [client, ...others];
  }
}

function mayTryNext({ endpoint }: RegistryClient, error: unknown): boolean {
  if (error instanceof AbortedError) return false;
  if (endpoint.mirror) return true;
  return isAway(error) || isWrongScheme(error);
}

function isAway(error: unknown): boolean {
  return error instanceof RegistryUnreachableError || error instanceof RegistryTimeoutError;
}

function isWrongScheme(error: unknown): boolean {
  return error instanceof RegistryError && error.wrongScheme;
}
