export type * from './checkpointer';
export { CriuCheckpointer } from './criu/criu-checkpointer';
export * from './errors';
