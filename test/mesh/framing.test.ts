import { deepEqual, equal, throws } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { encodeFrame, encodeJson, FrameDecoder } from '../../lib/mesh/framing';

describe('frames on a stream', () => {
  const decoder = () => new FrameDecoder((bytes, limit) => new Error(`${bytes} over ${limit}`));

  it('are the same in whatever pieces they come', () => {
    const contents = [0, 1, 3, 4, 70_000, 5, 0].map((bytes) => randomBytes(bytes));
    const stream = Buffer.concat([...contents.map(encodeFrame), encodeJson({ text: 'é' })]);
    for (const piece of [1, 3, 4, 5, 1000, 65_536, stream.length]) {
      const received = decoder();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += piece) {
        received.push(new Uint8Array(stream.subarray(at, at + piece)));
        for (let next = received.next(70_000); next; next = received.next(70_000)) found.push(next);
      }
      deepEqual(JSON.parse(found.pop()!.toString()), { text: 'é' });
      deepEqual(found, contents);
      equal(received.size, 0);
    }
  });

  it('are refused over their limit, before they have come', () => {
    const received = decoder();
    received.push(encodeFrame(Buffer.alloc(11)).subarray(0, 4));
    throws(() => received.next(10), /11 over 10/);
    equal(received.next(11), undefined);
  });

  it('leave what belongs to no frame to others', () => {
    const received = decoder();
    received.push(Buffer.concat([encodeFrame(Buffer.from('one')), Buffer.from('two')]));
    equal(String(received.next(3)), 'one');
    equal(received.next(3), undefined);
    equal(String(received.rest()), 'two');
  });
});
