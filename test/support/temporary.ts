import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder that goes away after the current suite's tests. Call it inside `describe`. */
export function temporaryFolder(): { readonly path: string; join(...parts: string[]): string } {
  const path = mkdtempSync(join(tmpdir(), 'garua-test-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return { path, join: (...parts) => join(path, ...parts) };
}
