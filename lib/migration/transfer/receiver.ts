import { join } from 'node:path';
import { syncFileSystem, toGaruaError } from '../../base';
import { type ByteStream, StreamBrokenError } from '../../mesh';
import { TransferFailedError } from './errors';
import { PAGE } from './memory/pages';
import { encodeFrame, FrameReader } from './wire/frames';
import type { SourceMessage, TargetMessage } from './wire/messages';
import { TransferThread } from './worker/transfer-thread';

export interface ReceiverOptions {
  /** Where the copies of folders go, by the names that the source has for them. */
  folders: ReadonlyMap<string, string>;
  /** Where the dump is built. */
  images: string;
  /** Where the end of the container's log goes. */
  log: string;
  /** How many pages of memory may be kept ahead of the dump. */
  pageLimit: number;
}

const DUMP_FILE = /^[\w.-]+$/;
/** Frames that are taken off the stream before those in front of them are in place. */
const AHEAD = 4;

/**
 * The target's end of a transfer: puts in place what comes until the source says that this was all.
 *
 * @throws {StreamBrokenError} {TransferFailedError}, which the source is told as well
 */
export async function receive(
  stream: ByteStream,
  { folders, images, log, pageLimit }: ReceiverOptions,
): Promise<void> {
  const thread = new TransferThread();
  let pages = 0;
  const answer = (message: TargetMessage) => stream.write(encodeFrame(message));
  const fileOf = (file: string) => {
    if (!DUMP_FILE.test(file) || file.startsWith('.')) throw new TransferFailedError(`a file named ${file}`);
    return join(images, file);
  };
  const working: Promise<void>[] = [];
  const settle = () => Promise.all(working.splice(0));
  const take = async (message: SourceMessage, bytes: Uint8Array): Promise<void> => {
    switch (message.kind) {
      case 'pages':
        pages += Math.ceil(bytes.length / PAGE);
        if (pages > pageLimit) throw new TransferFailedError(`more than ${pageLimit} pages came ahead`);
        return thread.run('keepPages', [bytes], bytes);
      case 'folder': {
        const path = folders.get(message.folder);
        if (path === undefined) throw new TransferFailedError(`nothing here is named ${message.folder}`);
        return thread.run('writeFolder', [path, message.changes, bytes], bytes);
      }
      case 'dump':
        return thread.run('buildDump', [fileOf(message.file), message.runs, bytes], bytes);
      case 'dump-end':
        return thread.run('completeDump', [fileOf(message.file), message.digest]);
      case 'images': {
        const pieces = message.pieces.map(({ file, ...piece }) => ({ ...piece, path: fileOf(file) }));
        return thread.run('writePieces', [pieces, bytes], bytes);
      }
      case 'log': {
        const piece = { path: log, offset: message.offset, size: bytes.length };
        return thread.run('writePieces', [[piece], bytes], bytes);
      }
      case 'sync':
        await settle();
        if (message.toDisk) for (const path of folders.values()) await syncFileSystem(path);
        return answer({ kind: 'synced' });
      case 'done':
        await settle();
        return answer({ kind: 'synced' });
    }
  };
  try {
    await answer({ kind: 'welcome', pageLimit });
    const frames = new FrameReader<SourceMessage>(stream.read());
    for (;;) {
      const frame = await frames.next();
      if (!frame) throw new StreamBrokenError('a transfer');
      const { kind } = frame.message;
      const taking = take(frame.message, frame.bytes);
      if (kind === 'sync' || kind === 'done') await taking;
      else {
        // It may fail while nobody waits for it yet.
        taking.catch(() => {});
        working.push(taking);
        if (working.length > AHEAD) await working.shift();
      }
      if (kind === 'done') return;
    }
  } catch (error) {
    await answer({ kind: 'failed', error: toGaruaError(error, 'the transfer').toJSON() }).catch(() => {});
    throw error;
  } finally {
    await thread.close();
  }
}
