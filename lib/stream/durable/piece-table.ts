import type { Database } from '../../base';
import type { Piece } from './piece';

export const PIECES_SCHEMA = `CREATE TABLE window_pieces (
  key TEXT NOT NULL, list INTEGER NOT NULL, first INTEGER NOT NULL, last REAL NOT NULL,
  stamps BLOB NOT NULL, numbers BLOB, texts TEXT, PRIMARY KEY (key, list, first));`;

/** Events in a row. A slow stream adds a few at each flush: they join the last row until it has this many. */
const ROW = 256;

interface Row {
  list: number;
  first: number;
  last: number;
  stamps: Buffer;
  numbers: Buffer | null;
  texts: string | null;
}

/** Lists of single events, in rows of some hundreds. */
export class PieceTable {
  readonly #forget;
  readonly #forgetOthers;
  readonly #forgetUpToIndex;
  readonly #forgetUpToTime;
  readonly #last;
  readonly #put;
  readonly #rows;
  /** Windows without lists leave the table empty: then there is nothing to look for. */
  #used: boolean;

  constructor(database: Database) {
    this.#used = database.prepare('SELECT 1 FROM window_pieces LIMIT 1').get() !== undefined;
    const remove = 'DELETE FROM window_pieces WHERE key = ?';
    this.#forget = database.prepare(remove);
    this.#forgetOthers = database.prepare(`${remove} AND list NOT IN (SELECT value FROM json_each(?))`);
    this.#forgetUpToIndex = database.prepare(`${remove} AND list = ? AND first < ? AND last < ?`);
    this.#forgetUpToTime = database.prepare(`${remove} AND list = ? AND last < ?`);
    this.#last = database.prepare(
      'SELECT * FROM window_pieces WHERE key = ? AND list = ? ORDER BY first DESC LIMIT 1',
    );
    this.#put = database.prepare('INSERT OR REPLACE INTO window_pieces VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#rows = database.prepare('SELECT * FROM window_pieces WHERE key = ? ORDER BY list, first');
  }

  forget(key: string): void {
    if (this.#used) this.#forget.run(key);
  }

  /** Forgets what is in none of the lists any more. */
  trim(key: string, lists: readonly { list: number; floor: number; byTime: boolean }[]): void {
    if (!this.#used) return;
    this.#forgetOthers.run(key, JSON.stringify(lists.map(({ list }) => list)));
    for (const { list, floor, byTime } of lists) {
      if (byTime) this.#forgetUpToTime.run(key, list, floor);
      else this.#forgetUpToIndex.run(key, list, floor, floor);
    }
  }

  append(key: string, list: number, piece: Piece): void {
    this.#used = true;
    const { first, last, stamps, numbers, texts } = this.#joined(key, list, piece);
    this.#put.run(key, list, first, last, stamps, numbers, texts);
  }

  of(key: string): { list: number; piece: Piece }[] {
    if (!this.#used) return [];
    return (this.#rows.all(key) as Row[]).map(({ list, first, last, stamps, numbers, texts }) => ({
      list,
      piece: { first, last, stamps: doubles(stamps), numbers: numbers && doubles(numbers), texts },
    }));
  }

  #joined(key: string, list: number, piece: Piece): Omit<Row, 'list'> {
    const { first, last, texts } = piece;
    const row = {
      first,
      last,
      stamps: bytes(piece.stamps),
      numbers: piece.numbers && bytes(piece.numbers),
      texts,
    };
    if (countOf(row) >= ROW) return row;
    const before = this.#last.get(key, list) as Row | undefined;
    const follows = before && before.first + countOf(before) === first;
    const alike = before && (before.texts === null) === (texts === null);
    if (!follows || !alike || countOf(before) + countOf(row) > ROW) return row;
    return {
      first: before.first,
      last: Math.max(before.last, last),
      stamps: Buffer.concat([before.stamps, row.stamps]),
      numbers: before.numbers && row.numbers && Buffer.concat([before.numbers, row.numbers]),
      texts:
        before.texts !== null && texts !== null ? `${before.texts.slice(0, -1)},${texts.slice(1)}` : null,
    };
  }
}

const countOf = ({ stamps }: { stamps: Buffer }): number => stamps.length / 16;

const bytes = ({ buffer, byteOffset, byteLength }: Float64Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** A copy in memory of its own, which can be handed to another thread. */
const doubles = (buffer: Buffer): Float64Array => new Float64Array(Uint8Array.from(buffer).buffer);
