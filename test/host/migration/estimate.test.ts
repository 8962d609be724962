import assert from 'node:assert/strict';
import { downtimeAfter } from '../../../lib/host/migration/estimate';
import { type MigrationProgress, warmUpProgress } from '../../../lib/migration/protocol/progress';

const MEBIBYTE = 1 << 20;

describe('host: what a migration is likely to take', () => {
  const first = { pagesSent: 51_200, bytesSent: 200 * MEBIBYTE, ms: 20_000 };

  it('depends on what the program writes while its memory is sent', () => {
    const quiet = downtimeAfter(200 * MEBIBYTE, [first, { pagesSent: 20, bytesSent: 80 << 10, ms: 300 }]);
    const busy = downtimeAfter(200 * MEBIBYTE, [
      first,
      { pagesSent: 12_800, bytesSent: 50 * MEBIBYTE, ms: 5_000 },
    ]);
    assert.ok(quiet < 2_000, String(quiet));
    assert.equal(Math.round((busy - quiet) / 1000), 5);
  });

  it('can be said of a program without memory of its own', () => {
    assert.ok(Number.isFinite(downtimeAfter(0, [{ pagesSent: 0, bytesSent: 0, ms: 0 }])));
  });

  it('is told with the rounds', () => {
    const told: MigrationProgress[] = [];
    const { onProgress, onRound } = warmUpProgress(
      8192,
      (rounds) => 100 * rounds.length,
      (progress) => told.push(progress),
    );
    onProgress!({ phase: 'warming up', done: 1, total: 0, unit: 'pages' });
    onRound([first]);
    onProgress!({ phase: 'warming up', done: 5, total: 0, unit: 'pages' });
    assert.deepEqual(told, [
      { phase: 'warming up', done: 1, total: 2, unit: 'pages', round: 1, estimatedDowntimeMs: undefined },
      { phase: 'warming up', done: 5, total: 5, unit: 'pages', round: 2, estimatedDowntimeMs: 100 },
    ]);
  });
});
