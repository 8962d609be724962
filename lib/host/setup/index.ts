export * from './apt';
export * from './apt-sources';
export * from './criu';
export * from './packages';
export * from './programs';
export * from './setup-error';
