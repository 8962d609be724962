import { deepEqual, equal, throws } from 'node:assert/strict';
import { checkAnnouncement, checkHead, checkMark, checkVersion } from '../../../lib/mesh/messages/checks';

const MALFORMED = { code: 'ERR_MESSAGES_MALFORMED' };
const MARK = { subscriber: 'node', queue: 'abc', sequence: 1 };
const HEAD = {
  ...MARK,
  topic: 'door',
  host: 'h',
  site: 's',
  time: 0,
  retain: false,
  retained: true,
  epoch: 7,
};
const ANNOUNCEMENT = {
  host: 'h',
  site: 's',
  version: 1,
  subscribers: [{ name: 'node', topic: 'door', retained: true }],
  roaming: [{ name: 'operator', topic: 'input', epoch: 1, gone: false }],
};

describe('what other hosts say about messages', () => {
  it('passes as it should be, and nothing beside it', () => {
    deepEqual(checkHead({ ...HEAD, peer: 'somebody else' }), HEAD);
    deepEqual(checkAnnouncement(ANNOUNCEMENT), ANNOUNCEMENT);
    const { epoch: _none, ...fixed } = HEAD;
    equal(checkHead(fixed).epoch, null);
    equal(checkVersion(Date.now()) > 0, true);
  });

  it('is refused with numbers that no queue, date or later version could hold', () => {
    for (const sequence of [0, -1, 1.5, Number.NaN, 2 ** 53, '1', null]) {
      throws(() => checkMark({ ...MARK, sequence }), MALFORMED);
    }
    for (const time of [-1, 9e15, 0.5, Number.POSITIVE_INFINITY, undefined]) {
      throws(() => checkHead({ ...HEAD, time }), MALFORMED);
    }
    for (const epoch of [0, -1, 2 ** 53, '1']) {
      throws(() => checkHead({ ...HEAD, epoch }), MALFORMED);
      const roaming = [{ ...ANNOUNCEMENT.roaming[0], epoch }];
      throws(() => checkAnnouncement({ ...ANNOUNCEMENT, roaming }), MALFORMED);
    }
    for (const version of [2 ** 53, Number.NaN, 'new']) {
      throws(() => checkAnnouncement({ ...ANNOUNCEMENT, version }), MALFORMED);
    }
    // Outdone by one, it would be no safe integer any more.
    for (const version of [Number.MAX_SAFE_INTEGER, -1, undefined]) {
      throws(() => checkVersion(version), MALFORMED);
    }
  });

  it('is refused with names that are none', () => {
    for (const name of ['', 'a\nb', 'x'.repeat(251), 1, {}, undefined]) {
      throws(() => checkHead({ ...HEAD, topic: name }), MALFORMED);
      throws(() => checkMark({ ...MARK, subscriber: name }), MALFORMED);
      throws(() => checkAnnouncement({ ...ANNOUNCEMENT, site: name }), MALFORMED);
      const subscribers = [{ name, topic: 'door', retained: true }];
      throws(() => checkAnnouncement({ ...ANNOUNCEMENT, subscribers }), MALFORMED);
    }
    for (const said of [undefined, null, 'text', []]) {
      throws(() => checkHead(said), MALFORMED);
      throws(() => checkAnnouncement(said), MALFORMED);
    }
  });
});
