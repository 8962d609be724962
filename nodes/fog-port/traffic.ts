import type { PortMeasures } from '../../lib/placement';

/** What the outputs of the instances in this process have sent since they were asked last, by topic. */
const sent = new Map<string, PortMeasures['out']>();

export function countSent(instance: string, topic: string, bytes: number): void {
  let topics = sent.get(instance);
  if (!topics) {
    topics = {};
    sent.set(instance, topics);
  }
  const count = topics[topic];
  if (count) {
    count.messages += 1;
    count.bytes += bytes;
  } else topics[topic] = { messages: 1, bytes };
}

/** What has been sent; counting begins anew. */
export function takeSent(instance: string): PortMeasures['out'] {
  const topics = sent.get(instance) ?? {};
  sent.delete(instance);
  return topics;
}
