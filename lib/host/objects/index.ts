export { type GetResult, HostObjects, type PutFileOptions, type PutFileResult } from './objects';
export { type FileAccess, readBytes, writeBytes } from './transfer';
