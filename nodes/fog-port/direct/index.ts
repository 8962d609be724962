export { Door } from './door';
export type { Content, Handed } from './handed';
export { isMark } from './mark';
export { Route, type RouteParts } from './route';
