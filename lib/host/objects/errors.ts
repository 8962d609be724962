import { formatSize, GaruaError } from '../../base';

/** The object is larger than whoever asked for it can take. */
export class ObjectOverLimitError extends GaruaError {
  constructor(cid: string, size: number, limit: number) {
    super(
      'ERR_STORE_OBJECT_OVER_LIMIT',
      `the object ${cid} has ${formatSize(size)}, more than the limit of ${formatSize(limit)}`,
      'Get it into a file, or raise the limit.',
    );
  }
}
