import { ContainerdPuller } from './containerd';
import { DockerPuller } from './docker';
import { GaruaPuller } from './garua';
import { PodmanPuller } from './podman';
import type { Puller, PullerSetting } from './puller';

export * from './garua';
export * from './puller';
export * from './wire';

/** The programs that are compared, in the order in which they take turns. */
export const PULLERS: Record<string, (setting: PullerSetting) => Puller> = {
  garua: (setting) => new GaruaPuller(setting),
  docker: (setting) => new DockerPuller(setting),
  podman: (setting) => new PodmanPuller(setting),
  containerd: (setting) => new ContainerdPuller(setting),
};
