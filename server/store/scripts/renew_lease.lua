#!lua flags=allow-oom
-- Lists a node for one more lease.
--
-- KEYS  1 nodes
-- ARGV  1 node  2 lease, ms
-- Returns the store's clock, {seconds, microseconds}
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZADD', KEYS[1], string.format('%.6f', now + ARGV[2] / 1000), ARGV[1])
-- Nothing reads a lease that ended a day ago.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now - 86400))
return clock
