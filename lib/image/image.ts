import type { LongCall } from '../base';

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = string;

/** OCI image-spec, descriptor.md. */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** Bytes of the blob; nothing longer is ever accepted. */
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

/** OCI names: `linux`/`arm64`/`v8`, `linux`/`amd64`. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/** OCI image-spec, manifest.md; a Docker v2 schema 2 manifest is turned into this. */
export interface ImageManifest {
  config: Descriptor;
  layers: Descriptor[];
}

/** The parts of OCI image-spec config.md that running a container needs. */
export interface ImageConfig {
  os: string;
  architecture: string;
  variant?: string;
  config?: {
    Entrypoint?: string[] | null;
    Cmd?: string[] | null;
    Env?: string[] | null;
    User?: string;
    WorkingDir?: string;
    StopSignal?: string;
    Volumes?: Record<string, object> | null;
    ExposedPorts?: Record<string, object> | null;
    Labels?: Record<string, string> | null;
    /** Docker's additions to the OCI image specification, unchecked. */
    Healthcheck?: unknown;
    Shell?: unknown;
  };
  rootfs: { type: string; diff_ids: Digest[] };
}

/** A manifest for one platform, with the exact bytes that its digest covers. */
export interface ResolvedImage {
  digest: Digest;
  manifest: ImageManifest;
  config: ImageConfig;
  /** All that its index offers; with no index, the image's own, if it says so. */
  platforms: Platform[];
  manifestBytes: Uint8Array;
  configBytes: Uint8Array;
  /** Where all of these came from, if not all from the image's source itself. */
  origin?: LayerOrigin;
  /** What the user should know, such as that a tag could not be looked up. */
  warnings?: string[];
}

/** A blob being read. Pull-based, so that a slow reader slows the sender down. */
export interface BlobReader {
  /** Where its bytes come from, where that is not the same for all blobs of its source. */
  readonly origin?: LayerOrigin;
  /**
   * The next bytes, as they came (any length above 0), or undefined at the end. They are valid until the
   * next call.
   */
  read(): Promise<Uint8Array | undefined>;
  /** Ends early and frees the connection. Harmless after the end. */
  close(): void;
}

/** What kind of place delivered a layer, as `garua pull --json` reports it. */
export type LayerOrigin = 'store' | 'nas' | `peer:${string}` | 'registry' | 'archive';

/** A place that may hold blobs: the site's NAS, a peer, a registry, an archive. */
export interface BlobSource {
  readonly origin: LayerOrigin;
  /**
   * Opens a blob at a byte offset, or answers undefined when this source does not have it. Nothing is
   * verified here: the puller checks every byte.
   */
  openBlob(descriptor: Descriptor, offset: number, signal?: AbortSignal): Promise<BlobReader | undefined>;
}

/** Manifests, indexes and configurations near by, and what the tags of this site last meant. Its answers are verified. */
export interface DocumentCache {
  /** The bytes under a digest; undefined when nobody near has them, or more than `limit`. */
  read(digest: Digest, limit: number, signal?: AbortSignal): Promise<NearDocument | undefined>;
  keep(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** What a full reference with a tag meant when an image of the site was resolved the last time. */
  lastDigest(ref: string): Promise<Digest | undefined>;
  rememberDigest(ref: string, digest: Digest): Promise<void>;
}

export interface NearDocument {
  bytes: Uint8Array;
  origin: LayerOrigin;
}

/** A blob source that can also say what an image consists of. */
export interface ImageSource extends BlobSource {
  /** The image for a platform, its manifest and configuration verified against their digests. */
  resolve(platform: Platform, signal?: AbortSignal): Promise<ResolvedImage>;
  /** Requests to a registry and its mirrors so far, those for tokens included. */
  readonly requests?: number;
  /** Resolves when what was resolved is kept for the others of the site, or cannot be. */
  kept?(): Promise<void>;
  /** Frees connections and files. */
  close(): Promise<void>;
}

/** How a layer of the store takes part in a container's root. Nothing else may be assumed about it. */
export interface LayerMount {
  type: 'overlay-lower';
  path: string;
}

/** An image in the store. */
export interface StoredImage {
  /** The full reference, such as `docker.io/library/alpine:3.20` or `oci:/srv/images/web`. */
  ref: string;
  /** Digest of the manifest for this platform. */
  digest: Digest;
  platform: Platform;
  config: ImageConfig;
  /** Bottom layer first. OCI image-spec, config.md, "Layer ChainID". */
  chainIds: Digest[];
  /** Unpacked bytes, layers shared with other images included. */
  size: number;
  /** Milliseconds since 1970. */
  pulledAt: number;
}

export type PullPolicy = 'always' | 'missing' | 'never';

export interface PullOptions extends LongCall {
  /** `os/architecture[/variant]`; default: this machine. */
  platform?: string;
  /** Allow plain http and unverified certificates for this registry. */
  insecure?: boolean;
  /** Credentials that go before all stored ones. */
  credentials?: Credentials;
  /** Default `always`: the tag is resolved anew, layers that are here are not fetched again. */
  policy?: PullPolicy;
}

export interface Credentials {
  username: string;
  password: string;
}

/** What a reference names, as far as its source tells without a pull. */
export interface ImageDescription {
  /** The full reference. */
  ref: string;
  /** Of the manifest for this platform. */
  digest: Digest;
  /** `os/architecture[/variant]` of the image that was chosen. */
  platform: string;
  /** All that are offered, in the same form. */
  platforms: string[];
  /** Compressed bytes of all layers. */
  size: number;
  layers: number;
}

/** The document of `garua pull --json`. */
export interface PullResult {
  ref: string;
  digest: Digest;
  chainIds: Digest[];
  /** Where its manifest and configuration came from; the registry when any of them did. */
  manifestSource: LayerOrigin;
  /** Requests to the registry and its mirrors. One for a tag is made even when all the rest is near. */
  registryRequests: number;
  /** Such as that the registry could not be reached and the tag is what the site knew last. */
  warnings: string[];
  /** Compressed bytes that crossed the network or were read from an archive in this pull. */
  bytesDownloaded: number;
  bytesUnpacked: number;
  seconds: number;
  layers: PulledLayer[];
}

export interface PulledLayer {
  digest: Digest;
  diffId: Digest;
  chainId: Digest;
  source: LayerOrigin;
  /** Compressed bytes fetched now (0 when the layer was here); `resumed` came from an earlier attempt. */
  bytes: number;
  resumed: number;
  /** Uncompressed bytes of the layer's tar. */
  unpacked: number;
  seconds: number;
}
