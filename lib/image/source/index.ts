import { join } from 'node:path';
import { openArchive } from '../archive';
import type { DocumentCache, ImageSource, PullOptions } from '../image';
import { type ImageReference, parseReference } from '../reference';
import {
  credentialFile,
  type DockerConfig,
  loadRegistryConfiguration,
  type RegistryConfiguration,
  RegistryImageSource,
  type RegistryTimeouts,
} from '../registry';

export interface SourceOptions extends Pick<PullOptions, 'credentials' | 'insecure' | 'signal'> {
  /** Holds `credentials.json` and `registries.json`, both optional. */
  dataDirectory?: string | undefined;
  /** In place of `registries.json`. */
  registries?: RegistryConfiguration | undefined;
  /** Docker's configuration; `null` to leave it out. Default: the user's. */
  dockerConfig?: DockerConfig | null | undefined;
  timeouts?: RegistryTimeouts | undefined;
  /** Asked for manifests and configurations before a registry is. */
  documents?: DocumentCache | undefined;
}

/**
 * Opens the place that a reference names. Of a registry nothing is asked yet; an archive is opened.
 *
 * @throws {ImageReferenceError} {ImageUnknownError} {ImageArchiveError} {RegistryConfigurationError}
 */
export async function openImageSource(
  reference: string | ImageReference,
  options: SourceOptions = {},
): Promise<ImageSource> {
  const parsed = typeof reference === 'string' ? parseReference(reference) : reference;
  if (parsed.transport !== 'registry') return openArchive(parsed, options.signal);
  const { dataDirectory, dockerConfig } = options;
  const configuration =
    options.registries ??
    (dataDirectory ? await loadRegistryConfiguration(join(dataDirectory, 'registries.json')) : {});
  const file = dataDirectory ? credentialFile(dataDirectory) : undefined;
  return new RegistryImageSource(parsed, {
    insecure: options.insecure,
    credentials: options.credentials,
    configuration,
    credentialPlaces: { file, dockerConfig },
    timeouts: options.timeouts,
    documents: options.documents,
  });
}
