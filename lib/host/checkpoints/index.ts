export * from './checkpoints';
export { exactImage } from './exact-image';
