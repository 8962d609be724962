export * from './admin-api';
export * from './errors';
export { describeTab, markOf, type TabMark } from './mark';
