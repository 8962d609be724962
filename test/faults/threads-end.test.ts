import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFaultyRegistry } from '../support/faulty-registry';
import { fileLayer, makeImage } from '../support/images';
import { temporaryFolder } from '../support/temporary';

const ROUNDS = 20;
const IDLE_REAP_MS = 2100;

describe('threads that end', () => {
  const folder = temporaryFolder();

  it('take their process with them neither when idle nor in the middle of inflating', async () => {
    const text = Buffer.from('all work and no play\n'.repeat(100_000));
    const image = makeImage({
      layers: [
        fileLayer({ a: text, b: randomBytes(500_000) }),
        fileLayer({ c: text }),
        fileLayer({ d: 'd' }),
      ],
      compression: ['gzip', 'gzip-multi', 'gzip'],
    });
    const registry = await startFaultyRegistry();
    registry.add(image, 'app', '1');
    const layer = folder.join('layer.gz');
    writeFileSync(layer, image.blobs.get(image.manifest.layers[0]!.digest)!);
    try {
      const words = [`${registry.host}/app:1`, `${ROUNDS}`, `${IDLE_REAP_MS}`, layer];
      const ends = [1, 2].map(async (number) => {
        const program = join(__dirname, 'children/pull-often.js');
        const child = spawn(process.execPath, [program, folder.join(`data${number}`), ...words], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (text) => {
            output += text;
          });
        }
        const [status, signal] = await once(child, 'close');
        return { status, signal, output };
      });
      for (const end of await Promise.all(ends)) {
        assert.deepEqual(end, { status: 0, signal: null, output: 'done\n' });
      }
    } finally {
      await registry.stop();
    }
  });
});
