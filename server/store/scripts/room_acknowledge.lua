#!lua flags=allow-oom
-- Tells the node that published something which sockets of another one have acknowledged it.
--
-- KEYS  1 inbox of that node
-- ARGV  1 id of the acknowledgement  2 ids of the sockets, separated by spaces  3 TTL, ms
--       4 the other node  5 to how many sockets it has sent it; empty while it still does
-- Returns nothing
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 10000, '*', 'kind', 'ack', 'ack', ARGV[1], 'sockets', ARGV[2],
  'node', ARGV[4], 'sent', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
