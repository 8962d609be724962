export * from './prepare';
export * from './private-copy';
export * from './self-test';
