import { InvalidArgumentError } from '../../base';
import { NameRecordInvalidError } from '../errors';
import type { NameRecord, Signer } from '../store';
import { canonicalCid } from '../tree/cid';

const PREFIX = 'fog:';
const LONGEST_NAME = 512;
/**
 * A record further ahead of this host's clock, in ms, is refused, else whoever's clock was wrong once would hold the
 * name for ever. Clocks that are a day apart still get on with each other, with a little to spare.
 */
const MOST_AHEAD = 86_400_000 + 300_000;

export function isName(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** The parts of `fog:<site>/<name>`; the name may have slashes. @throws {InvalidArgumentError} */
export function parseName(text: string): { site: string; name: string } {
  const match = /^fog:([^/]+)\/(.+)$/s.exec(text);
  if (!match || text.length > LONGEST_NAME) {
    throw new InvalidArgumentError(`"${text.slice(0, 80)}" is no name`, 'Write it as fog:<site>/<name>.');
  }
  return { site: match[1]!, name: match[2]! };
}

export function formatName({ site, name }: { site: string; name: string }): string {
  return `${PREFIX}${site}/${name}`;
}

/** What the writer signs. */
export function signedBytes({ site, name, cid, time, writer }: Omit<NameRecord, 'signature'>): Uint8Array {
  return Buffer.from(JSON.stringify(['garua name record 1', site, name, cid, time, writer]));
}

/** @throws {NameRecordInvalidError} */
export async function checkRecord(record: NameRecord, signer: Signer): Promise<void> {
  const { site, name, cid, time, writer, signature } = record;
  const label = formatName(record);
  const texts = [site, name, cid, writer, signature].every((text) => typeof text === 'string');
  if (!texts || !Number.isSafeInteger(time)) throw new NameRecordInvalidError(label, 'something is missing');
  if (time - Date.now() > MOST_AHEAD) {
    throw new NameRecordInvalidError(label, 'its time is more than a day ahead; is a clock wrong?');
  }
  parseName(label);
  canonicalCid(cid);
  const valid = await signer.verify(writer, signedBytes(record), Buffer.from(signature, 'base64'));
  if (!valid) throw new NameRecordInvalidError(label, `it is not signed by ${writer}`);
}

/** The last writer's record: by time, and by writer where two wrote in the same millisecond. */
export function latest(records: NameRecord[]): NameRecord | undefined {
  let best: NameRecord | undefined;
  for (const record of records) {
    if (!best || record.time > best.time || (record.time === best.time && record.writer > best.writer))
      best = record;
  }
  return best;
}
