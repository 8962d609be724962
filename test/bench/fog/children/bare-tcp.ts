/**
 * TCP without anything above it, to measure a line: `serve BYTES` prints its port, sends so many bytes to whoever
 * says `g`, and says `p` back to whoever says `p`; `get HOST PORT BYTES` and `ping HOST PORT TIMES` print
 * milliseconds, `ping` a list of them.
 */
import { connect, createServer, type Socket } from 'node:net';

const commands: Record<string, (...words: string[]) => void> = {
  serve(bytes) {
    const content = Buffer.alloc(Number(bytes), 7);
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (asked) => {
        if (asked.toString() === 'g') socket.end(content);
        else socket.write('p');
      });
    });
    server.listen(0, () => {
      const { port } = server.address() as { port: number };
      process.stdout.write(`${port}\n`);
    });
  },

  async get(host, port, bytes) {
    const socket = await open(host!, port!);
    const started = performance.now();
    socket.write('g');
    let received = 0;
    for await (const chunk of socket) received += (chunk as Buffer).length;
    if (received !== Number(bytes)) throw new Error(`${received} bytes instead of ${bytes}`);
    print(performance.now() - started);
  },

  async ping(host, port, times) {
    const socket = await open(host!, port!);
    const all: number[] = [];
    for (let turn = 0; turn < Number(times); turn += 1) {
      const started = performance.now();
      socket.write('p');
      await new Promise((resolve) => socket.once('data', resolve));
      all.push(performance.now() - started);
    }
    socket.end();
    print(all);
  },
};

/** Connected: making a connection is not what is measured. */
async function open(host: string, port: string): Promise<Socket> {
  const socket = connect({ host, port: Number(port), noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

const [name, ...words] = process.argv.slice(2);
commands[name!]!(...words);
