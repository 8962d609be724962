import { resolve } from 'node:path';
import type { Digest } from '../image';
import { ImageReferenceError } from './errors';

/** An image in a registry. A tag, a digest, or both (then the digest decides). */
export interface RegistryReference {
  transport: 'registry';
  /** Host and port as written, such as `docker.io` or `127.0.0.1:5000`. */
  registry: string;
  repository: string;
  tag?: string;
  digest?: Digest;
}

/** An image in a folder or file of this machine. */
export interface ArchiveReference {
  transport: 'oci' | 'oci-archive' | 'docker-archive';
  /** Absolute. */
  path: string;
  /** Which of several images; a `docker-archive` names them `name:tag`. */
  tag?: string;
}

export type ImageReference = RegistryReference | ArchiveReference;

// distribution/reference: the grammar that all registries share.
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/;
const IPV6_HOST = /^\[[0-9a-fA-F:]+\]$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MAX_REPOSITORY_LENGTH = 255;

const ARCHIVE = /^(oci|oci-archive|docker-archive):(.*)$/s;
const DEFAULT_REGISTRY = 'docker.io';

/** Whether the text is `sha256:` and 64 lower-case hexadecimal digits, the only digests that are accepted. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/**
 * Reads what a person writes for an image: `alpine`, `user/app:1`, `host:5000/a/b@sha256:...`,
 * `docker://...`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME:TAG]`. A path ends
 * at its first colon, and is taken from the current folder.
 *
 * @throws {ImageReferenceError}
 */
export function parseReference(text: string): ImageReference {
  const trimmed = text.trim();
  if (trimmed === '') throw new ImageReferenceError(text, 'it is empty');
  const archive = ARCHIVE.exec(trimmed);
  // `oci:latest` would be a folder; whoever has a repository of that name writes docker.io/library/oci.
  if (archive) return parseArchive(text, archive[1] as ArchiveReference['transport'], archive[2]!);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1];
  if (scheme && scheme !== 'docker') {
    throw new ImageReferenceError(text, `${scheme}:// is not known`, 'Leave the scheme away: HOST/NAME:TAG.');
  }
  return parseRegistry(text, scheme ? trimmed.slice('docker://'.length) : trimmed);
}

/** The one text by which the store knows an image; `parseReference` reads it back to the same. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  if (reference.transport !== 'registry') return `${reference.transport}:${reference.path}${tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function parseArchive(
  text: string,
  transport: ArchiveReference['transport'],
  rest: string,
): ArchiveReference {
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const example = `Write ${transport}:PATH or ${transport}:PATH:TAG; the path may hold no colon.`;
  if (path === '') throw new ImageReferenceError(text, 'the path is missing', example);
  if (path.includes('\0')) throw new ImageReferenceError(text, 'the path holds a zero byte', example);
  if (tag === '') throw new ImageReferenceError(text, 'the tag after the path is empty', example);
  return { transport, path: resolve(path), ...(tag === undefined ? {} : { tag }) };
}

function parseRegistry(text: string, name: string): RegistryReference {
  const [beforeDigest = '', digest, ...more] = name.split('@');
  if (more.length > 0) throw new ImageReferenceError(text, 'it has more than one @');
  if (digest !== undefined) checkDigest(text, digest);
  const lastSlash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', lastSlash + 1);
  const path = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  let tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) {
    const reason =
      tag === '' ? 'the tag is empty' : `the tag ${JSON.stringify(tag.slice(0, 140))} is not valid`;
    throw new ImageReferenceError(text, reason, 'A tag has 1 to 128 letters, digits, "_", "." or "-".');
  }
  const { registry, repository } = splitRegistry(text, path);
  if (tag === undefined && digest === undefined) tag = 'latest';
  return {
    transport: 'registry',
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitRegistry(text: string, path: string): { registry: string; repository: string } {
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  let registry = isHost ? first : DEFAULT_REGISTRY;
  let repository = isHost ? path.slice(slash + 1) : path;
  if (isHost) checkHost(text, registry);
  if (registry === 'index.docker.io') registry = DEFAULT_REGISTRY;
  if (!isHost && /^[0-9a-f]{64}$/.test(repository)) {
    throw new ImageReferenceError(text, 'it looks like an image ID', 'Write a name; a digest comes after @.');
  }
  checkRepository(text, repository);
  if (registry === DEFAULT_REGISTRY && !repository.includes('/')) repository = `library/${repository}`;
  return { registry, repository };
}

function checkHost(text: string, registry: string): void {
  const [, host = '', port] = /^(.*?)(?::([^:\]]*))?$/.exec(registry) ?? [];
  if (!HOST.test(host) && !IPV6_HOST.test(host)) {
    throw new ImageReferenceError(text, `${JSON.stringify(registry)} is not a host name`);
  }
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
    throw new ImageReferenceError(text, `${JSON.stringify(port)} is not a port`);
  }
}

function checkRepository(text: string, repository: string): void {
  if (repository === '') throw new ImageReferenceError(text, 'the name is missing');
  if (repository.length > MAX_REPOSITORY_LENGTH) {
    throw new ImageReferenceError(text, `the name has more than ${MAX_REPOSITORY_LENGTH} characters`);
  }
  if (repository !== repository.toLowerCase()) {
    throw new ImageReferenceError(text, 'the name has capital letters', 'Write the name in lower case.');
  }
  for (const component of repository.split('/')) {
    if (PATH_COMPONENT.test(component)) continue;
    const reason =
      component === '' ? 'a part of the name is empty' : `${JSON.stringify(component)} is not valid`;
    throw new ImageReferenceError(
      text,
      reason,
      'Each part of a name has letters and digits, joined by ".", "_", "__" or "-".',
    );
  }
}

function checkDigest(text: string, digest: string): void {
  if (DIGEST.test(digest)) return;
  const algorithm = /^([A-Za-z0-9_+.-]+):/.exec(digest)?.[1];
  throw new ImageReferenceError(
    text,
    algorithm && algorithm !== 'sha256'
      ? `digests of the kind ${algorithm} are not supported`
      : 'the digest is not valid',
    'A digest is sha256: and 64 lower-case hexadecimal digits.',
  );
}
