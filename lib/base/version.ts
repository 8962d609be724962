import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Built files lie in dist/lib/base. */
const PACKAGE_JSON = join(__dirname, '../../../package.json');

/** This package's version. */
export const VERSION: string = JSON.parse(readFileSync(PACKAGE_JSON, 'utf8')).version;
