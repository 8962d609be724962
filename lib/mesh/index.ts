export * from './errors';
export { FogMesh, type FogMeshOptions } from './fog-mesh';
export * from './mesh';
