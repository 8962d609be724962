import { connect } from 'node:net';
import { type Answer, failure, SUCCESS } from './answer';
import { probeTarget, type Reachable } from './target';

/** Whether a port accepts a connection. `where`: a port of the container, or `HOST:PORT`. */
export function askByTcp(
  where: number | string,
  container: Reachable,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const text = String(where);
  const colon = text.lastIndexOf(':');
  const { host, port } = probeTarget(
    text.slice(0, Math.max(0, colon)),
    Number(text.slice(colon + 1)),
    container,
  );
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(
      () => finish(failure(`port ${port} did not accept a connection within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const finish = (answer: Answer) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = () => finish(failure('cancelled'));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => finish(SUCCESS));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(failure(`port ${port} cannot be reached (${error.code ?? error.message})`)),
    );
  });
}
