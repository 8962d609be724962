import { ImageUnknownError } from '../manifest';
import { formatReference, parseReference } from '../reference';
import { ImageArchiveError } from './errors';

/** One image of a `docker save` archive's manifest.json, with Docker's field names. */
export interface DockerArchiveImage {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

/** @throws {ImageArchiveError} */
export function parseDockerManifest(path: string, bytes: Uint8Array): DockerArchiveImage[] {
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new ImageArchiveError(path, 'its manifest.json is not JSON', undefined, { cause: error });
  }
  if (!Array.isArray(list) || list.length === 0) {
    throw new ImageArchiveError(path, 'its manifest.json lists no images');
  }
  return list.map((item) => {
    const { Config, RepoTags, Layers } = item ?? {};
    const tags = RepoTags ?? [];
    if (typeof Config !== 'string' || !isTextList(Layers) || !isTextList(tags)) {
      throw new ImageArchiveError(path, 'its manifest.json is not valid');
    }
    return { Config, RepoTags: tags, Layers };
  });
}

/**
 * Chooses by name (`alpine:3.20`, however fully written), by tag alone where that is unique, or without
 * either when there is only one.
 *
 * @throws {ImageUnknownError}
 */
export function selectImage(path: string, images: DockerArchiveImage[], tag?: string): DockerArchiveImage {
  const list = images.flatMap(({ RepoTags }) => RepoTags).join(', ');
  const hint = list ? `It has ${list}.` : 'Its images have no names.';
  const found =
    tag === undefined
      ? images
      : (firstNonEmpty(
          images.filter(({ RepoTags }) => RepoTags.some((name) => canonical(name) === canonical(tag))),
          images.filter(({ RepoTags }) => RepoTags.some((name) => name.endsWith(`:${tag}`))),
        ) ?? []);
  const [first, ...others] = found;
  if (!first) throw new ImageUnknownError(`${path} has no image ${tag}`, hint);
  if (others.length === 0) return first;
  const which = tag === undefined ? 'several images' : `several images with the tag ${tag}`;
  throw new ImageUnknownError(`${path} holds ${which}`, `Write docker-archive:FILE:NAME:TAG. ${hint}`);
}

function firstNonEmpty<T>(...lists: T[][]): T[] | undefined {
  return lists.find((list) => list.length > 0);
}

function canonical(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch {
    return name;
  }
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
