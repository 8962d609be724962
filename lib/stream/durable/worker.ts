import { parentPort } from 'node:worker_threads';
import type { Answer, Change, Request } from './messages';
import { removeStateFile, StateFile } from './state-file';

/** Records per answer: each is one short task on the main thread. */
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
    changes.get(store)!.push(...request.records);
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
  let page: [string, string][] = [];
  for (const { key, record } of file.records()) {
    page.push([key, record]);
    if (page.length < PAGE) continue;
    answer({ op: 'records', store, records: page });
    page = [];
  }
  if (page.length > 0) answer({ op: 'records', store, records: page });
  answer({ op: 'opened', store, outcome: file.outcome, meta: file.meta });
}

function answer(message: Answer): void {
  port.postMessage(message);
}
