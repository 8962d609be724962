/**
 * Asks an HTTP server every few milliseconds, each time over a connection of its own, and prints a line for each
 * request at its end: when, in microseconds of the clock, and whether it was answered.
 *
 * usage: poll HOST PORT INTERVAL-MS
 */
import { connect } from 'node:net';

const [host, port, interval] = process.argv.slice(2) as [string, string, string];
const LIMIT_MS = 5_000;
const REQUEST = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

function poll(): void {
  let answer = '';
  const socket = connect({ host, port: Number(port) }, () => socket.write(REQUEST));
  socket.setEncoding('latin1').setTimeout(LIMIT_MS, () => socket.destroy());
  socket.on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    const time = Math.round((performance.timeOrigin + performance.now()) * 1000);
    console.log(`${time} ${answer.startsWith('HTTP/1.1 200') ? 'answered' : 'failed'}`);
  });
}

setInterval(poll, Number(interval));
process.stdin.resume().once('end', () => process.exit());
