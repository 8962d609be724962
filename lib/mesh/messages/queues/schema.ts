/**
 * `message_queue`: one per subscriber, of this host and of others. `message_entry`: its place in each queue that
 * a message waits in. `message_mark`: up to where the messages of another host's queue have come in here. `epoch` is
 * null but for subscribers that roam.
 */
export const SCHEMA = [
  `CREATE TABLE message_queue (
     id INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, subscriber TEXT NOT NULL, topic TEXT NOT NULL,
     host TEXT NOT NULL, site TEXT NOT NULL, retained INTEGER NOT NULL, name TEXT NOT NULL,
     next INTEGER NOT NULL DEFAULT 1, waiting INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
     dropped INTEGER NOT NULL DEFAULT 0, newest INTEGER NOT NULL DEFAULT 0, UNIQUE (peer, subscriber));
   CREATE INDEX message_queue_topic ON message_queue (topic);
   CREATE TABLE message (
     id INTEGER PRIMARY KEY, topic TEXT NOT NULL, peer TEXT NOT NULL, host TEXT NOT NULL, site TEXT NOT NULL,
     time INTEGER NOT NULL, retain INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL);
   CREATE TABLE message_entry (
     queue INTEGER NOT NULL, sequence INTEGER NOT NULL, message INTEGER NOT NULL, retained INTEGER NOT NULL,
     PRIMARY KEY (queue, sequence)) WITHOUT ROWID;
   CREATE INDEX message_entry_message ON message_entry (message);
   CREATE TABLE message_retained (topic TEXT PRIMARY KEY, message INTEGER NOT NULL, time INTEGER NOT NULL);
   CREATE INDEX message_retained_message ON message_retained (message);
   CREATE TABLE message_mark (
     peer TEXT NOT NULL, subscriber TEXT NOT NULL, queue TEXT NOT NULL, sequence INTEGER NOT NULL,
     PRIMARY KEY (peer, subscriber));
   CREATE TABLE message_announcement (peer TEXT PRIMARY KEY, version INTEGER NOT NULL)`,
  `ALTER TABLE message_queue ADD COLUMN epoch INTEGER;
   CREATE INDEX message_queue_subscriber ON message_queue (subscriber)`,
];
