import type { TarEntry } from './entry';
import { LayerCorruptError } from './errors';
import type { Header } from './header';
import { showName } from './names';
import { type PaxRecord, parseDecimal, parsePaxRecords, parseTime } from './pax';
import { readPaxSparse } from './sparse';

const XATTR_PREFIX = 'SCHILY.xattr.';

/** What extension headers say about the entries after them: PAX records, GNU's long names. */
export class Extensions {
  #global = new Map<string, Buffer>();
  #local: PaxRecord[] = [];
  #longName: string | undefined;
  #longLink: string | undefined;

  /** Takes an extension header of the given type flag. The content must stay as it is. */
  add(flag: string, content: Buffer): void {
    if (flag === 'g') for (const [key, value] of parsePaxRecords(content)) this.#global.set(key, value);
    else if (flag === 'L') this.#longName = untilZero(content);
    else if (flag === 'K') this.#longLink = untilZero(content);
    else this.#local.push(...parsePaxRecords(content));
  }

  /** True if an entry must follow. */
  get pending(): boolean {
    return this.#local.length > 0 || this.#longName !== undefined || this.#longLink !== undefined;
  }

  /** The size field of a header, unless a PAX record replaces it. */
  size(header: Header): number {
    const record = this.#lookUp('size');
    return record ? parseDecimal(record.toString('latin1')) : header.size;
  }

  /**
   * Changes an entry made from its header, and forgets what held for this entry alone.
   *
   * @returns true if the data begins with a sparse map (format 1.0)
   */
  apply(entry: TarEntry): boolean {
    const text = (key: string) => this.#lookUp(key)?.toString('latin1');
    entry.name = text('GNU.sparse.name') ?? text('path') ?? this.#longName ?? entry.name;
    entry.linkName = text('linkpath') ?? this.#longLink ?? entry.linkName;
    const [uid, gid, modified] = [text('uid'), text('gid'), text('mtime')];
    if (uid !== undefined) entry.uid = parseDecimal(uid);
    if (gid !== undefined) entry.gid = parseDecimal(gid);
    if (modified !== undefined) entry.modified = parseTime(modified);
    entry.xattrs = this.#xattrs();
    const hasMapInData = this.#applySparse(entry);
    this.#local = [];
    this.#longName = undefined;
    this.#longLink = undefined;
    return hasMapInData;
  }

  #applySparse(entry: TarEntry): boolean {
    if (this.#local.length === 0) return false;
    const local = (key: string) =>
      this.#local.findLast((record) => record[0] === key)?.[1].toString('latin1');
    const hasMapInData = local('GNU.sparse.major') === '1' && local('GNU.sparse.minor') === '0';
    const map = hasMapInData ? [] : readPaxSparse(this.#local);
    if (!map) return false;
    const size = local('GNU.sparse.realsize') ?? local('GNU.sparse.size');
    if (size === undefined)
      throw new LayerCorruptError(`the sparse file ${showName(entry.name)} has no size`);
    entry.sparse = { map, size: parseDecimal(size) };
    return hasMapInData;
  }

  #xattrs(): TarEntry['xattrs'] {
    if (this.#local.length === 0 && this.#global.size === 0) return [];
    const found = new Map<string, Buffer>();
    for (const [key, value] of [...this.#global, ...this.#local]) {
      if (key.startsWith(XATTR_PREFIX)) found.set(key.slice(XATTR_PREFIX.length), value);
    }
    return [...found];
  }

  /** An empty local record takes a global one back. */
  #lookUp(key: string): Buffer | undefined {
    if (this.#local.length === 0 && this.#global.size === 0) return undefined;
    const local = this.#local.findLast((record) => record[0] === key);
    const value = local ? local[1] : this.#global.get(key);
    return value && value.length > 0 ? value : undefined;
  }
}

function untilZero(content: Buffer): string {
  const end = content.indexOf(0);
  return content.toString('latin1', 0, end < 0 ? content.length : end);
}
