import { deepEqual, throws } from 'node:assert/strict';
import { commandWords } from '../../../../nodes/deploy-container/settings/words';

describe('commandWords', () => {
  const cases: [string, string[] | undefined][] = [
    ['', undefined],
    ['   ', undefined],
    ['httpd -f  -p 8080', ['httpd', '-f', '-p', '8080']],
    [`sh -c 'echo "a  b" $HOME'`, ['sh', '-c', 'echo "a  b" $HOME']],
    ['echo "say \\"hi\\" \\n" plain\\ space', ['echo', 'say "hi" \\n', 'plain space']],
    [`a'b'"c"d ''`, ['abcd', '']],
    ['line\\\nnext', ['line\nnext']],
    ['["sh", "-c", "a b"]', ['sh', '-c', 'a b']],
  ];
  for (const [text, words] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => deepEqual(commandWords(text), words));
  }

  for (const text of ['echo "open', "echo 'open", 'end\\', '["a", 1]', '[a']) {
    it(`refuses ${text}`, () => throws(() => commandWords(text), { code: 'ERR_INVALID_ARGUMENT' }));
  }

  it('takes time in proportion to the length of hostile text', () => {
    throws(() => commandWords(`"${'\\a'.repeat(50_000)}`), { code: 'ERR_INVALID_ARGUMENT' });
  });
});
