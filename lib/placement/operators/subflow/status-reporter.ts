/**
 * What a status output does with a message, after Node-RED's rules, as the code of a function node that stands
 * for the instance: status nodes around it hear its status.
 */
export const STATUS_REPORTER = `const { payload } = msg;
if (payload === undefined) {
  if (msg.status !== undefined) node.status(msg.status);
  return;
}
const isObject = Object.prototype.toString.call(payload) === '[object Object]';
const isStatus =
  isObject && (Object.keys(payload).length === 0 || ['text', 'fill', 'shape'].some((key) => Object.hasOwn(payload, key)));
if (typeof payload === 'string') node.status({ text: payload });
else if (isStatus) node.status(payload);
else {
  const text = util.inspect(payload);
  node.status({ text: text.length > 32 ? text.slice(0, 32) + '...' : text });
}
`;
