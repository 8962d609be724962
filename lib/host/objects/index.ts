export { type GetResult, HostObjects, type PutFileOptions, type PutFileResult } from './objects';
