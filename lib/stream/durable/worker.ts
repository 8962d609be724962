import { parentPort } from 'node:worker_threads';
import type { Answer, Change, KeyRecord, Request } from './messages';
import { buffersOf } from './piece';
import { removeStateFile, StateFile } from './state-file';

/** Records and pieces per answer: each is one short task on the main thread. */
const PAGE = 200;

const port = parentPort!;
const files = new Map<number, StateFile>();
const changes = new Map<number, Change[]>();

port.on('message', (request: Request) => {
  const { store } = request;
  try {
    serve(request);
  } catch (error) {
    const { code = 'ERR_INTERNAL', message } = error as { code?: string; message: string };
    answer({ op: 'failed', store, code, message });
  }
});

function serve(request: Request): void {
  const { store } = request;
  if (request.op === 'put') {
    for (const change of request.changes) changes.get(store)!.push(change);
    return;
  }
  if (request.op === 'open') {
    open(store, request.path, request.settings);
    return;
  }
  if (request.op === 'commit') {
    const all = changes.get(store)!;
    changes.set(store, []);
    files.get(store)!.commit(all, request.meta);
  } else if (request.op === 'close') {
    files.get(store)?.close();
    files.delete(store);
    changes.delete(store);
  } else {
    removeStateFile(request.path);
  }
  answer({ op: 'done', store });
}

function open(store: number, path: string, settings: string): void {
  const file = StateFile.open(path, settings);
  files.set(store, file);
  changes.set(store, []);
  let page: KeyRecord[] = [];
  let size = 0;
  const hand = () => {
    const buffers = page.flatMap(({ pieces }) => pieces.flatMap(({ piece }) => buffersOf(piece)));
    answer({ op: 'records', store, records: page }, buffers);
    page = [];
    size = 0;
  };
  for (const record of file.records()) {
    page.push(record);
    size += 1 + record.pieces.length;
    if (size >= PAGE) hand();
  }
  if (size > 0) hand();
  answer({ op: 'opened', store, outcome: file.outcome, meta: file.meta });
}

function answer(message: Answer, transferred: ArrayBuffer[] = []): void {
  port.postMessage(message, transferred);
}
