#!lua flags=allow-oom
-- Forgets the tries of an account that was removed, and all marks of familiar addresses from before.
--
-- KEYS  1 when the marks of the account were forgotten  2… its counters
-- ARGV  1 now, ms  2 TTL of a mark, ms
-- Returns nothing
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', unpack(KEYS, 2))
