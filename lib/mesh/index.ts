export * from './errors';
export { FogMesh, type FogMeshOptions } from './fog-mesh';
export { encodeFrame, FrameDecoder } from './framing';
export { isSignedBy } from './membership/keys';
export { isHostName } from './membership/statements';
export * from './mesh';
export * from './messages';
