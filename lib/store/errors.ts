import { formatSize, GaruaError } from '../base';

/** No site that can be reached has the object. */
export class ObjectNotFoundError extends GaruaError {
  constructor(cid: string, options?: ErrorOptions) {
    super(
      'ERR_STORE_OBJECT_NOT_FOUND',
      `no site that can be reached has the object ${cid}`,
      'Check the CID, and that the site that has it is connected (garua sites).',
      options,
    );
  }
}

/** Sites said that they have the object, and none of them delivered it. */
export class FetchFailedError extends GaruaError {
  constructor(cid: string, reasons: string[], options?: ErrorOptions) {
    super(
      'ERR_STORE_FETCH_FAILED',
      `no site delivered the object ${cid}: ${reasons.join('; ')}`,
      'Try again: what has arrived is kept, and the rest is fetched from where it stopped.',
      options,
    );
  }
}

/** A block's bytes do not have the hash that they should have. */
export class BlockMismatchError extends GaruaError {
  constructor(readonly leaf: number) {
    super(
      'ERR_STORE_BLOCK_MISMATCH',
      `block ${leaf} of the object has other bytes than it should have`,
      'Another site is asked; when all fail, the object is damaged everywhere.',
    );
  }
}

/** A block is no UnixFS file block as IPFS writes it. */
export class BlockInvalidError extends GaruaError {
  constructor(reason: string) {
    super('ERR_STORE_BLOCK_INVALID', `a block cannot be read: ${reason}`, 'Another site is asked.');
  }
}

/** The object was cut into blocks in another way than this store does. */
export class LayoutUnsupportedError extends GaruaError {
  constructor() {
    super(
      'ERR_STORE_LAYOUT_UNSUPPORTED',
      'the object is not cut into blocks of 262,144 bytes in a balanced tree of 174 links',
      'Put the file itself into the fog with garua put.',
    );
  }
}

export class ObjectTooLargeError extends GaruaError {
  constructor() {
    super('ERR_STORE_OBJECT_TOO_LARGE', 'an object can have 64 GiB at most', 'Cut it into several objects.');
  }
}

/** The file that holds an object is damaged. */
export class ObjectCorruptError extends GaruaError {
  constructor(
    cid: string,
    reason: string,
    readonly leaf = 0,
  ) {
    super(
      'ERR_STORE_OBJECT_CORRUPT',
      `the object ${cid} is damaged on the site's NAS (${reason}) and was put into quarantine`,
      'A copy is fetched from another site where there is one; check the disk.',
    );
  }
}

/** The folder is not the NAS: its marker file is not there. */
export class NasMissingError extends GaruaError {
  constructor(folder: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_STORE_NAS_MISSING',
      `the site's NAS is not at ${folder}: ${reason}`,
      'Mount it there; nothing was written into the folder.',
      options,
    );
  }
}

/** The NAS does not answer. */
export class NasHungError extends GaruaError {
  constructor(folder: string, milliseconds: number) {
    super(
      'ERR_STORE_NAS_HUNG',
      `the site's NAS at ${folder} has not answered for ${milliseconds} ms`,
      'Check the NAS and the network to it; the store works again as soon as it answers.',
    );
  }
}

export class NasReadOnlyError extends GaruaError {
  constructor(folder: string, options?: ErrorOptions) {
    super(
      'ERR_STORE_NAS_READ_ONLY',
      `the site's NAS at ${folder} is read-only`,
      'Mount it writable; a file system with errors is often made read-only, so check its disk.',
      options,
    );
  }
}

/** The NAS answered with an error of its own. */
export class NasFailedError extends GaruaError {
  constructor(folder: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_STORE_NAS_FAILED',
      `the site's NAS at ${folder} failed: ${reason}`,
      'Check its disk and the system log.',
      options,
    );
  }
}

/** Nothing that may be evicted makes room for the object. */
export class QuotaExceededError extends GaruaError {
  constructor(whose: string, quota: number, size: number) {
    super(
      'ERR_STORE_QUOTA_EXCEEDED',
      `${formatSize(size)} do not fit into the quota of ${whose} (${formatSize(quota)})`,
      'Unpin objects, or replicate them to another site so that this one may let them go; or raise the quota.',
    );
  }
}

/** A name has no record that can be reached. */
export class NameNotFoundError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_STORE_NAME_NOT_FOUND',
      `nothing is known under ${name}`,
      'Check the name and that its site is connected.',
    );
  }
}

/** This host has no key to sign with. */
export class NamesUnavailableError extends GaruaError {
  constructor() {
    super(
      'ERR_STORE_NAMES_UNAVAILABLE',
      'this host is in no fog yet, so it has no key to sign names with',
      'Create or join a fog first (garua fog), or use the CID.',
    );
  }
}

/** A name record was not signed by the writer it names. */
export class NameRecordInvalidError extends GaruaError {
  constructor(name: string, reason: string) {
    super(
      'ERR_STORE_NAME_INVALID',
      `the record of ${name} is not to be trusted: ${reason}`,
      'Write the name anew.',
    );
  }
}

/** Another host did not answer, or stopped in the middle. */
export class ProviderStalledError extends GaruaError {
  constructor(site: string, milliseconds: number) {
    super(
      'ERR_STORE_PROVIDER_STALLED',
      `site ${site} has sent nothing for ${milliseconds} ms`,
      'The next site is asked.',
    );
  }
}
