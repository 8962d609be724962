export { type Message, readProperty, type TypedValue, typedValue } from './properties';
export { StoreNode, type StoreWork, type Work } from './store-node';
