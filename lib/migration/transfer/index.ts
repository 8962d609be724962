export { TransferFailedError } from './errors';
export type { Round } from './memory/rounds';
export { type ReceiverOptions, receive } from './receiver';
export { type FolderOptions, Sender, type SentFolder, type WarmUpOptions } from './sender';
