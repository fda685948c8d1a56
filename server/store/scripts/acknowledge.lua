#!lua flags=allow-oom
-- Tells the origin of some ends that a node has carried them out. Also on a full store: ending
-- sessions is how people get out of trouble.
--
-- KEYS  1 replies of the origin
-- ARGV  1 TTL, ms  2… the signed entry
-- Returns nothing
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
