import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Compiled code is kept for the next command, which on a Pi saves a good part of its start. Not in the shared
// temporary folder, where others could leave code for root to run. Not for the daemon: it would hold 5 MB of it.
if (process.argv[2] !== 'host') {
  enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'garua'));
}
