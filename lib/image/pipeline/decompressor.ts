import { LayerCorruptError } from '../extract';

/** Takes uncompressed bytes; may block. The view is valid only during the call. */
export type Output = (bytes: Uint8Array) => void;

/** Turns a layer blob into its tar. Chunks may be views that the caller reuses once `push` is done. */
export interface Decompressor {
  /** @throws {LayerCorruptError} */
  push(chunk: Uint8Array): void | Promise<void>;
  /** @throws {LayerCorruptError} when the data stopped in the middle. */
  end(): void | Promise<void>;
  /** Frees native memory; harmless more than once. */
  close(): void;
}

/** The compressed data of a layer is damaged or stops in the middle. */
export function undecompressable(reason: string, options?: ErrorOptions): LayerCorruptError {
  return new LayerCorruptError(`it cannot be decompressed: ${reason}`, options);
}
