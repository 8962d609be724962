import { AbortedError } from '../../base';
import type { BlobReader, Credentials, Descriptor, ImageSource, Platform, ResolvedImage } from '../image';
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
import { type RegistryTimeouts, Transport } from './transport';

export interface RegistrySourceOptions {
  /** Allow plain http and unverified certificates for this registry. */
  insecure?: boolean | undefined;
  /** For the reference's registry, not for its mirrors. */
  credentials?: Credentials | undefined;
  configuration?: RegistryConfiguration | undefined;
  /** Where stored credentials are looked for. */
  credentialPlaces?: Omit<CredentialPlaces, 'given'> | undefined;
  timeouts?: RegistryTimeouts | undefined;
}

const EMPTY: BlobReader = { read: async () => undefined, close() {} };

/** An image in a registry, or in one of its mirrors. */
export class RegistryImageSource implements ImageSource {
  readonly origin = 'registry';
  readonly #reference: RegistryReference;
  readonly #transport: Transport;
  #clients: RegistryClient[];

  /** Opens no connection yet. @throws {RegistryConfigurationError} */
  constructor(reference: RegistryReference, options: RegistrySourceOptions = {}) {
    this.#reference = reference;
    this.#transport = new Transport(options.timeouts);
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

  async resolve(platform: Platform, signal?: AbortSignal): Promise<ResolvedImage> {
    const { tag, digest } = this.#reference;
    const top = await this.#fetchManifest(digest ?? tag!, signal);
    return resolveImage(
      {
        name: formatReference(this.#reference),
        readManifest: (descriptor) => this.#fetchManifest(descriptor.digest, signal),
        readConfig: (descriptor) => this.#fetchConfig(descriptor, signal),
      },
      top,
      platform,
      signal,
    );
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
  return (
    error instanceof RegistryUnreachableError || error instanceof RegistryTimeoutError || isWrongScheme(error)
  );
}

function isWrongScheme(error: unknown): boolean {
  return error instanceof RegistryError && error.wrongScheme;
}
