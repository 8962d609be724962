import { setFlagsFromString } from 'node:v8';

// V8 lets short-lived objects fill 32 MB before it looks after them; a pull has better uses for the memory
// of a small machine, and is no slower with less. Only works before the heap has grown: import it first.
setFlagsFromString('--semi-space-growth-factor=1');
// The daemon holds for good what its heap has once grown to, and allocates little: 10 MB less for one of a fog.
if (process.argv[2] === 'host') setFlagsFromString('--optimize-for-size');
