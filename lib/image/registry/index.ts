export {
  type Endpoint,
  endpointsOf,
  loadRegistryConfiguration,
  type RegistryConfiguration,
} from './configuration';
export {
  type CredentialPlaces,
  credentialFile,
  type FoundLogin,
  findLogin,
  type RegistryLogin,
} from './credentials';
export type { DockerConfig } from './docker-config';
export * from './errors';
export { registryKey } from './hosts';
export { RegistryImageSource, type RegistrySourceOptions } from './registry-source';
export type { RegistryTimeouts } from './transport';
