import { deepEqual, equal } from 'node:assert/strict';
import { lineOf, propertyOf, readLine } from '../../../../lib/placement/operators/containers/lines';

describe('the lines of an operator in a container', () => {
  it('are its messages as they were encoded, each in one line', () => {
    equal(lineOf('{"payload":1}', undefined), '{"payload":1}\n');
    equal(lineOf('{\n "payload": 1\n}', undefined), '{"payload":1}\n');
    equal(lineOf('[1, 2]', undefined), '{"payload":[1,2]}\n');
    equal(lineOf('no JSON\n', undefined), '{"payload":"no JSON\\n"}\n');
  });

  it('say which message they are where they are to be answered', () => {
    equal(lineOf('{"payload":1}', 'a-1'), '{"_garua":"a-1","payload":1}\n');
    equal(lineOf('{}', 'a-2'), '{"_garua":"a-2"}\n');
    deepEqual(readLine('{"_garua":"a-1","payload":2}'), {
      body: '{"payload":2}',
      answers: 'a-1',
      message: { payload: 2 },
    });
    deepEqual(readLine('{"_garua":"a-2"}'), { body: undefined, answers: 'a-2', message: {} });
  });

  it('are messages where they are objects, else payloads', () => {
    equal(readLine('{"payload":1}').body, '{"payload":1}');
    equal(readLine('warm').body, '{"payload":"warm"}');
    equal(readLine('{half').body, '{"payload":"{half"}');
    equal(readLine('[1]').body, '{"payload":"[1]"}');
    equal(readLine('').body, '{"payload":""}');
  });

  it('have keys at any depth', () => {
    const message = { topic: 't', payload: { sensors: [{ name: 'hall' }] } };
    equal(propertyOf(message, 'topic'), 't');
    equal(propertyOf(message, 'payload.sensors[0].name'), 'hall');
    equal(propertyOf(message, 'payload["sensors"][1].name'), undefined);
    equal(propertyOf(message, 'constructor.name'), undefined);
  });
});
