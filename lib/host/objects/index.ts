export { ObjectOverLimitError } from './errors';
export {
  type GetOptions,
  type GetResult,
  HostObjects,
  type PutFileOptions,
  type PutFileResult,
} from './objects';
export { type FileAccess, readBytes, writeBytes } from './transfer';
