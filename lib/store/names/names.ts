import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { throwIfAborted } from '../../base';
import { NameNotFoundError, NamesUnavailableError } from '../errors';
import { within } from '../fetch/patience';
import { nearestFirst } from '../fetch/providers';
import type { StoreParts } from '../parts';
import type { NameRecord, Signer } from '../store';
import { checkRecord, formatName, latest, parseName, signedBytes } from './record';

/**
 * Names that can be made to mean another object. A name's records lie at its site, one file for each writer,
 * so that two hosts that write at the same time never write the same file; the last one by time wins. Clocks
 * that differ are no trouble for who has seen the record before: a new record is always later than that.
 */
export class Names {
  constructor(
    private readonly parts: StoreParts,
    private readonly maybeSigner: Signer | undefined,
  ) {}

  private get signer(): Signer {
    if (!this.maybeSigner) throw new NamesUnavailableError();
    return this.maybeSigner;
  }

  async put(text: string, cid: string, signal?: AbortSignal): Promise<NameRecord> {
    const { site, name } = parseName(text);
    const writer = await this.signer.writer();
    const before = await this.#find(site, name, signal);
    const time = Math.max(Date.now(), (before?.time ?? 0) + 1);
    const unsigned = { site, name, cid, time, writer };
    const signature = Buffer.from(await this.signer.sign(signedBytes(unsigned))).toString('base64');
    const record = { ...unsigned, signature };
    // Here as well when the site is another one: this host's own readers find it, also when it is cut off.
    await this.write(record);
    if (site !== this.parts.site) {
      const hosts = (await nearestFirst(this.parts.sites)).filter((provider) => provider.site === site);
      let failure: unknown = new NameNotFoundError(`${text}, for its site is not connected`);
      for (const host of hosts) {
        try {
          await within(this.parts.limits.haveMs, signal, 'the name', (limit) =>
            host.putName(record, { signal: limit }),
          );
          return record;
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    }
    return record;
  }

  /** @throws {NameNotFoundError} */
  async get(text: string, signal?: AbortSignal): Promise<NameRecord> {
    const { site, name } = parseName(text);
    const record = await this.#find(site, name, signal);
    if (!record) throw new NameNotFoundError(text);
    return record;
  }

  /** The records of this site's NAS, as they are; whoever uses them checks them. */
  async read(site: string, name: string): Promise<NameRecord[]> {
    const { nas } = this.parts;
    await nas.ready();
    const folder = this.#folder(site, name);
    const records: NameRecord[] = [];
    for (const file of await nas.disk.run('names', folder)) {
      const text = await nas.disk.run('readSmall', join(folder, file));
      try {
        records.push(JSON.parse(text ?? '') as NameRecord);
      } catch {
        // Damaged: as if it were not there; the writer's next record replaces it.
      }
    }
    return records;
  }

  /** Keeps a record unless there is a later one of its writer. @throws {NameRecordInvalidError} */
  async write(record: NameRecord): Promise<void> {
    await checkRecord(record, this.signer);
    const { site, name, writer } = record;
    const mine = (await this.read(site, name)).find((other) => other.writer === writer);
    if (mine && mine.time >= record.time && (await this.#isValid(mine))) return;
    const folder = this.#folder(site, name);
    await this.parts.nas.writeSmall(join(folder, hashOf(writer)), JSON.stringify(record));
  }

  async #find(site: string, name: string, signal?: AbortSignal): Promise<NameRecord | undefined> {
    const records = await this.read(site, name);
    if (site !== this.parts.site) {
      for (const host of await nearestFirst(this.parts.sites)) {
        if (host.site !== site) continue;
        throwIfAborted(signal, `looking up ${formatName({ site, name })}`);
        try {
          const theirs = await within(this.parts.limits.haveMs, signal, 'the name', (limit) =>
            host.readName(site, name, { signal: limit }),
          );
          records.push(...theirs);
          break;
        } catch {
          // Another host of that site has the same NAS.
        }
      }
    }
    const valid: NameRecord[] = [];
    for (const record of records) {
      const right = record.site === site && record.name === name;
      if (right && (await this.#isValid(record))) valid.push(record);
    }
    return latest(valid);
  }

  async #isValid(record: NameRecord, signer = this.signer): Promise<boolean> {
    return checkRecord(record, signer).then(
      () => true,
      () => false,
    );
  }

  #folder(site: string, name: string): string {
    return join(this.parts.nas.paths.names, hashOf(formatName({ site, name })));
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}
