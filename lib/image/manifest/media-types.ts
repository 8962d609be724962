// OCI image-spec, media-types.md, and Docker's image manifest version 2, schema 2.

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

/** What to ask a registry for. */
export const ACCEPTED_MANIFESTS = [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST];

const LAYERS = new Set([
  ...['', '+gzip', '+zstd'].flatMap((compression) => [
    `${OCI_LAYER}${compression}`,
    `application/vnd.oci.image.layer.nondistributable.v1.tar${compression}`,
  ]),
  ...['', '.gzip', '.zstd'].flatMap((compression) => [
    `application/vnd.docker.image.rootfs.diff.tar${compression}`,
    `application/vnd.docker.image.rootfs.foreign.diff.tar${compression}`,
  ]),
]);

/** Whether it is a tar that is plain, or compressed by gzip or zstd. */
export function isLayerMediaType(mediaType: string): boolean {
  return LAYERS.has(mediaType);
}
