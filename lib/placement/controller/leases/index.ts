export * from './errors';
export * from './held-lease';
export * from './lease-book';
