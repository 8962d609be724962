/** How the faulty registry writes an answer: whole, in part, changed, slowly, or without end. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Misbehaviour } from './faulty-registry';

const PIECE = 64 << 10;

export function sendBytes(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
  action: Misbehaviour | undefined,
  onSent: (bytes: number) => void,
): void {
  let body = bytes;
  const all: Record<string, string> = { 'content-length': String(bytes.length), ...headers };
  if (action?.type === 'corrupt' && action.at < body.length) {
    body = Buffer.from(body);
    body[action.at]! ^= 0xff;
  }
  if (action?.type === 'short') {
    body = body.subarray(0, action.bytes);
    all['content-length'] = String(body.length);
  }
  if (action?.type === 'gzip') {
    body = gzipSync(body);
    all['content-encoding'] = 'gzip';
    all['content-length'] = String(body.length);
  }
  if (action?.type === 'lying-length') all['content-length'] = String(action.contentLength);
  if (action?.type === 'endless') delete all['content-length'];
  if (action?.type === 'headers') Object.assign(all, action.headers);
  response.on('error', () => {});
  response.writeHead(status, all);
  response.flushHeaders();

  const stopAt =
    action?.type === 'hang' || action?.type === 'reset' ? Math.min(action.after, body.length) : body.length;
  let offset = 0;
  const next = () => {
    if (response.destroyed) return;
    if (offset >= stopAt) return finish();
    const piece = body.subarray(offset, Math.min(offset + pieceSize(action), stopAt));
    offset += piece.length;
    response.write(piece, (error) => {
      if (error) return;
      onSent(piece.length);
      if (action?.type === 'slow') setTimeout(next, (piece.length / action.bytesPerSecond) * 1000);
      else setImmediate(next);
    });
  };
  const finish = () => {
    if (action?.type === 'hang') return;
    // Not a reset packet: that would take back bytes which the other end has not read yet.
    if (action?.type === 'reset' || action?.type === 'lying-length')
      return void response.socket?.destroySoon();
    if (action?.type === 'endless') return zeros(response, onSent);
    response.end();
  };
  next();
}

function pieceSize(action: Misbehaviour | undefined): number {
  return action?.type === 'slow' ? Math.max(1, Math.round(action.bytesPerSecond / 20)) : PIECE;
}

function zeros(response: ServerResponse, onSent: (bytes: number) => void): void {
  const piece = Buffer.alloc(PIECE);
  const next = () => {
    if (response.destroyed) return;
    response.write(piece, (error) => {
      if (error) return;
      onSent(piece.length);
      setImmediate(next);
    });
  };
  next();
}
