export * from './decide';
export * from './explain';
export * from './leases';
export * from './measurements';
export * from './smoothed';
