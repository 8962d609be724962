import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { decodeMessage, encodeMessage } from '../../../../nodes/fog-messages/encoding';

const there = async (message: object) => decodeMessage((await encodeMessage(message)).text);

describe('the encoding of messages', () => {
  it('brings all that a message may hold through', async () => {
    const message = {
      _msgid: 'abc',
      topic: 't',
      payload: {
        text: 'ä "quoted" \u2028 \u0000',
        numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
        big: 12345678901234567890n,
        nothing: undefined,
        none: null,
        list: [1, undefined, [true, []], {}],
        buffer: Buffer.from([0, 1, 255]),
        empty: Buffer.alloc(0),
        date: new Date(1_700_000_000_123),
        noDate: new Date(Number.NaN),
        floats: new Float64Array([1.5, -2]),
        ints: new Int16Array([1, -2, 3]),
        bigs: new BigInt64Array([-5n]),
        raw: new Uint8Array([7, 8]).buffer,
        map: new Map<unknown, unknown>([
          [{ a: 1 }, new Date(5)],
          ['k', new Set([1, 'x'])],
        ]),
        regexp: /a\/b/gi,
        $: 'a property of this name',
        nested: { $: 'Buffer', v: 'not one' },
      },
    };
    deepEqual(await there(message), message);
  });

  it('keeps the class of what it brings', async () => {
    const got = (
      await there({ payload: [Buffer.from('x'), new Uint8Array(2), new Uint8Array(3).subarray(1)] })
    ).payload as Uint8Array[];
    deepEqual(got.map(Buffer.isBuffer), [true, false, false]);
    deepEqual(
      got.map(({ length }) => length),
      [1, 2, 2],
    );
    const error = Object.assign(new TypeError('it broke'), { code: 'E_BROKE' });
    const { payload } = (await there({ payload: error })) as { payload: TypeError & { code: string } };
    ok(payload instanceof Error);
    deepEqual(
      [payload.name, payload.message, payload.code, payload.stack],
      ['TypeError', 'it broke', 'E_BROKE', error.stack],
    );
  });

  it('leaves out the connection of an HTTP request, and functions, and says so', async () => {
    const { text, omitted } = await encodeMessage({
      payload: { run: () => {}, list: [1, () => {}] },
      req: { socket: {} },
      res: {},
    });
    deepEqual(omitted, ['msg.req', 'msg.res', 'msg.payload.run', 'msg.payload.list[1]']);
    deepEqual(await decodeMessage(text), { payload: { list: [1, undefined] } });
    deepEqual((await encodeMessage({ req: 'a text' })).omitted, []);
  });

  it('refuses what holds itself, and sends the same object twice', async () => {
    const twice = { a: 1 };
    deepEqual(await there({ one: twice, other: twice }), { one: twice, other: twice });
    const cycle: Record<string, unknown> = {};
    cycle.inner = { cycle };
    await rejects(encodeMessage({ payload: cycle }), {
      code: 'ERR_FOG_MESSAGE_NOT_PLAIN',
      message: /msg\.payload\.inner\.cycle holds itself/,
    });
    let deep: unknown = 1;
    for (let level = 0; level < 10_000; level += 1) deep = [deep];
    await rejects(encodeMessage({ payload: deep }), { code: 'ERR_FOG_MESSAGE_NOT_PLAIN' });
  });

  it('refuses more than 16 MB', async () => {
    await rejects(encodeMessage({ payload: Buffer.alloc(13 << 20) }), { code: 'ERR_MESH_MESSAGE_TOO_LARGE' });
    const { payload } = (await there({ payload: Buffer.alloc(11 << 20, 1) })) as { payload: Buffer };
    ok(payload.equals(Buffer.alloc(11 << 20, 1)));
  });

  it('lets others have their turn while it works on much', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const rows = Array.from({ length: 60_000 }, (_, at) => ({ at, value: at / 3 }));
    const { text } = await encodeMessage({ payload: rows });
    clearInterval(timer);
    ok(turns > 1, `${turns} turns`);
    equal(((await decodeMessage(text)).payload as unknown[]).length, rows.length);
  });

  it('reads what other programs publish, and refuses what is no message', async () => {
    deepEqual(await decodeMessage('[1]'), { payload: [1] });
    deepEqual(await decodeMessage('"text"'), { payload: 'text' });
    const { payload } = (await decodeMessage('{"payload":{"__proto__":{"admin":true}}}')) as {
      payload: object;
    };
    equal((payload as { admin?: boolean }).admin, undefined);
    deepEqual(Object.keys(payload), []);
    for (const text of ['no JSON', '{"$":"Gadget"}', '{"$":"BigInt","v":"x"}', '{"$":"Map","v":[1]}']) {
      await rejects(decodeMessage(text), { code: 'ERR_FOG_MESSAGE_UNREADABLE' });
    }
  });
});
