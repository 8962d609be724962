/**
 * A message as JSON text. What JSON lacks becomes `{"$": TAG, "v": VALUE}`; an object that has a `$` of its own
 * becomes the value of an `Object` tag. Bytes are base64, in the byte order of the machine's typed arrays, which is
 * little-endian on all that are supported.
 */
export const TAG = '$';

/** Typed arrays by their names, as they stand in tags. */
export const ARRAYS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

export const isArrayName = (name: string): name is keyof typeof ARRAYS => Object.hasOwn(ARRAYS, name);
