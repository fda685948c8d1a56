#!lua flags=allow-oom
-- Tells the initiator of some ends that a node has carried them out. Runs on a full store too:
-- ending sessions must work when everything else fails.
--
-- KEYS  1 reply stream of the initiator
-- ARGV  1 TTL, ms  2… the signed entry
-- Returns nothing
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
