export { type Message, readProperty, type TypedValue, typedValue } from './properties';
export { StatusLine } from './status-line';
export { StoreNode, type StoreWork, type Work } from './store-node';
