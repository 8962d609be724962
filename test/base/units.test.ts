import assert from 'node:assert/strict';
import { formatSize, parseSize } from '../../lib/base';

describe('parseSize', () => {
  const cases: [string | number, number][] = [
    ['64m', 64 << 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['512KiB', 512 << 10],
    ['10 MB', 10 << 20],
    ['123', 123],
    [4096, 4096],
  ];
  for (const [text, bytes] of cases)
    it(`${text} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes));

  for (const text of ['', 'm', '-1m', '1x', '1e3', '64 m m', 'NaN']) {
    it(`"${text}" is no size`, () => assert.throws(() => parseSize(text), { code: 'ERR_INVALID_ARGUMENT' }));
  }
});

describe('formatSize', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [61_234_567, '61.2 MB'],
    [999_600, '1.0 MB'],
    [150e9, '150 GB'],
  ];
  for (const [bytes, text] of cases) it(`${bytes} is ${text}`, () => assert.equal(formatSize(bytes), text));
});
