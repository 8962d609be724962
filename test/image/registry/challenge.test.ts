import assert from 'node:assert/strict';
import { retryAfter } from '../../../lib/image/registry/answer';
import { parseChallenges } from '../../../lib/image/registry/challenge';

describe('WWW-Authenticate', () => {
  const plain = (header: string) =>
    parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, parameters: { ...parameters } }));

  it('is read with quoted commas and escapes', () => {
    assert.deepEqual(
      plain('Bearer realm="https://a.example/token",service="a, b",scope="repository:x/y:pull,push"'),
      [
        {
          scheme: 'bearer',
          parameters: {
            realm: 'https://a.example/token',
            service: 'a, b',
            scope: 'repository:x/y:pull,push',
          },
        },
      ],
    );
    assert.deepEqual(plain('BASIC Realm="say \\"hi\\""'), [
      { scheme: 'basic', parameters: { realm: 'say "hi"' } },
    ]);
  });

  it('may hold several challenges, and unquoted or spaced parameters', () => {
    assert.deepEqual(plain('Negotiate, Basic realm=x , charset="UTF-8", Bearer realm = "y"'), [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'x', charset: 'UTF-8' } },
      { scheme: 'bearer', parameters: { realm: 'y' } },
    ]);
  });

  it('may be nonsense', () => {
    for (const header of ['', ' ', ',,,', '"""', '=', 'Bearer realm="open', '\u0000', 'a'.repeat(10_000)]) {
      assert.ok(Array.isArray(parseChallenges(header)));
    }
    assert.deepEqual(plain('realm="x"'), []);
  });
});

describe('Retry-After', () => {
  it('is seconds or a date, and never endless', () => {
    const now = Date.UTC(2026, 0, 1);
    assert.equal(retryAfter(undefined), undefined);
    assert.equal(retryAfter('soon'), undefined);
    assert.equal(retryAfter('7'), 7000);
    assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now), 5000);
    assert.equal(retryAfter('Thu, 01 Jan 2025 00:00:05 GMT', now), 0);
    assert.equal(retryAfter('99999999999'), 24 * 3600 * 1000);
  });
});
