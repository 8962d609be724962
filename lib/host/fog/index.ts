export { HostFog, type HostFogOptions, type MeshSettings, type SiteHost, type SiteStatus } from './fog';
