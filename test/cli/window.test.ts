import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/temporary';

const MAIN = join(__dirname, '../../lib/cli/main.js');

describe('garua window', () => {
  const folder = temporaryFolder();

  function start(spec: unknown) {
    const path = folder.join('spec.json');
    writeFileSync(path, typeof spec === 'string' ? spec : JSON.stringify(spec));
    const child = spawn(process.execPath, [MAIN, 'window', '--spec', path], { stdio: 'pipe' });
    child.stdin.on('error', () => {});
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text;
    });
    const result = once(child, 'close').then(([status]) => ({ status, ...output }));
    return { child, output, result };
  }

  async function run(spec: unknown, input: string) {
    const { child, result } = start(spec);
    child.stdin.end(input);
    return result;
  }

  const spec = {
    type: 'tumbling',
    size: 10,
    outOfOrderness: 0,
    aggregates: [
      { op: 'mean', field: 'db', as: 'noise' },
      { op: 'jsonata', expr: '$count($)' },
    ],
  };

  it('writes panes and late events, to the byte', async () => {
    const input = [
      '{"time": 1, "key": "quay", "value": {"db": 60}}',
      '{"time":2,"key":"quay","value":{"db":61}}',
      '',
      '{"time":12,"value":{"db":50}}\r',
      '{"time":3,"key":"quay","value":{"db":1e2},"extra":"\u00e9"}',
      '{"watermark":20}',
      '{"processingTime":5}',
      '{"time":31,"value":null}',
    ].join('\n');
    const expected = [
      '{"key":"quay","start":0,"end":10,"pane":"on-time","index":0,"count":2,"result":{"noise":60.5,"jsonata":2}}',
      '{"late":{"time":3,"key":"quay","value":{"db":100},"extra":"\u00e9"},"reason":"late"}',
      '{"key":"","start":10,"end":20,"pane":"on-time","index":0,"count":1,"result":{"noise":50,"jsonata":1}}',
      '{"key":"","start":30,"end":40,"pane":"on-time","index":0,"count":1,"result":{"noise":null,"jsonata":1}}',
      '',
    ].join('\n');
    for (const text of [input, `${input}\n`]) {
      assert.deepEqual(await run(spec, text), { status: 0, stdout: expected, stderr: '' });
    }
  });

  it('answers while the input is still open', async () => {
    const { child, output, result } = start(spec);
    child.stdin.write('{"time":1,"value":{"db":1}}\n{"time":10,"va');
    child.stdin.write('lue":{"db":2}}\n');
    while (!output.stdout.includes('\n')) await once(child.stdout, 'data');
    assert.match(output.stdout, /"end":10/);
    child.stdin.end();
    assert.equal((await result).status, 0);
  });

  it('takes input no faster than its output is read', async () => {
    const wide = { type: 'count', count: 1, aggregates: [{ op: 'last' }] };
    const { child, result } = start(wide);
    child.stdout.pause();
    const line = `${JSON.stringify({ time: 1, value: 'x'.repeat(1000) })}\n`;
    let sent = 0;
    while (child.stdin.write(line) && sent < 100_000) sent += 1;
    assert(sent < 100_000, 'the input was taken whole');
    child.stdout.resume();
    child.stdin.end();
    assert.equal((await result).status, 0);
  });

  it('a malformed line: status 1, its number, and the panes before it', async () => {
    const { status, stdout, stderr } = await run(
      spec,
      '{"time":1}\n{"time":11}\n\n{"time":"soon"}\n{"time":99}\n',
    );
    assert.equal(status, 1);
    assert.match(stdout, /^\{"key":"","start":0[^\n]*\n$/);
    assert.match(stderr, /^error ERR_STREAM_INPUT: line 4 has a time that is no time: "soon"\nhint: /);
  });

  it('a failing expression: status 1', async () => {
    const failing = { ...spec, aggregates: [{ op: 'jsonata', expr: '$sum("x")' }] };
    const { status, stderr } = await run(failing, '{"time":1}\n');
    assert.equal(status, 1);
    assert.match(stderr, /^error ERR_STREAM_EXPRESSION: /);
  });

  it('a failing expression leaves the panes before it', async () => {
    const failing = { ...spec, aggregates: [{ op: 'jsonata', expr: '$sum($)' }] };
    const { status, stdout } = await run(
      failing,
      '{"time":1,"value":4}\n{"time":11,"value":"x"}\n{"time":21}\n',
    );
    assert.equal(status, 1);
    assert.equal(
      stdout,
      '{"key":"","start":0,"end":10,"pane":"on-time","index":0,"count":1,"result":{"jsonata":4}}\n',
    );
  });

  for (const [what, wrong] of [
    ['slide > size', { type: 'hopping', size: 10, slide: 20 }],
    ['an unknown op', { type: 'tumbling', size: 10, aggregates: [{ op: 'x' }] }],
    ['no JSON', '{'],
  ] as const) {
    it(`${what}: wrong usage, status 2`, async () => {
      const { status, stdout, stderr } = await run(wrong, '');
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^garua window: .*\nUsage: garua window --spec/);
    });
  }

  it('no specification: wrong usage; one that cannot be read: a failure', async () => {
    for (const [words, status] of [
      [[], 2],
      [['--spec', folder.join('none')], 1],
    ] as const) {
      const child = spawn(process.execPath, [MAIN, 'window', ...words], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      assert.deepEqual(await once(child, 'close'), [status, null]);
    }
  });
});
