export * from './placed-flow';
export * from './topics';
