/** Copies a file over TCP. usage: copy serve FILE ADDRESS (prints its port) | copy fetch ADDRESS PORT FILE */
import { createReadStream, createWriteStream } from 'node:fs';
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';

const [task, ...words] = process.argv.slice(2) as [string, string, string, string];

if (task === 'serve') {
  const [file, address] = words;
  const server = createServer((socket) => {
    void pipeline(createReadStream(file), socket).finally(() => process.exit());
  });
  server.listen(0, address, () => console.log((server.address() as { port: number }).port));
} else {
  const [address, port, file] = words;
  void pipeline(connect(Number(port), address), createWriteStream(file));
}
