import assert from 'node:assert/strict';
import { imageHealthcheck } from '../../../lib/container/probe/healthcheck';
import { ContainerFixture } from '../fixture';

describe('container: the health check of an image', () => {
  const check = (Healthcheck: unknown, more = {}) => imageHealthcheck({ Healthcheck, ...more });

  it('is a probe, with Docker’s defaults', () => {
    assert.deepEqual(check({ Test: ['CMD', 'curl', '-f', 'http://localhost/'] }), {
      exec: ['curl', '-f', 'http://localhost/'],
      ...{
        intervalMs: 30_000,
        timeoutMs: 30_000,
        startPeriodMs: 0,
        failureThreshold: 3,
        successThreshold: 1,
      },
    });
    const times = { Interval: 5e9, Timeout: 1_500_000, StartPeriod: 6e10, Retries: 5 };
    const probe = check({ Test: ['CMD-SHELL', 'exit 0'], ...times })!;
    assert.deepEqual(probe.exec, ['/bin/sh', '-c', 'exit 0']);
    assert.deepEqual(
      [probe.intervalMs, probe.timeoutMs, probe.startPeriodMs, probe.failureThreshold],
      [5_000, 2, 60_000, 5],
    );
    assert.equal(
      check({ Test: ['CMD-SHELL', 'true'] }, { Shell: ['/bin/ash', '-ec'] })!.exec![0],
      '/bin/ash',
    );
  });

  it('is none where the image has none, has taken it away, or wrote nonsense', () => {
    const none = [undefined, null, {}, 7, { Test: null }, { Test: [] }, { Test: ['NONE'] }];
    const nonsense = [
      { Test: 'CMD true' },
      { Test: ['CMD'] },
      { Test: ['CMD', 7] },
      { Test: ['CMD', 'true'], Retries: 0.5 },
      { Test: ['CMD', 'true'], Interval: -1e9 },
      { Test: ['CMD', 'true'], Timeout: 1e300 },
    ];
    for (const value of [...none, ...nonsense]) assert.equal(check(value), undefined, JSON.stringify(value));
    assert.equal(check({ Test: ['CMD-SHELL', 'true'] }, { Shell: [1] }), undefined);
    assert.equal(imageHealthcheck(), undefined);
  });

  it('counts unless the user has a probe', async () => {
    const fixture = await ContainerFixture.create();
    try {
      await fixture.reopen();
      const Healthcheck = { Test: ['CMD-SHELL', 'test -e /tmp/well'], Interval: 1e8, Retries: 1 };
      const image = await fixture.image({ Healthcheck });
      const command = ['sh', '-c', 'sleep 1; touch /tmp/well; sleep 1000'];
      await fixture.deploy({ command }, image);
      await fixture.until(({ health }) => health === 'unhealthy');
      await fixture.until(({ health }) => health === 'healthy');
      await fixture.deploy({ name: 'other', command, liveness: { exec: ['true'] } }, image);
      await fixture.until(({ health }) => health === 'healthy', 'other');
    } finally {
      await fixture.destroy();
    }
  });
});
