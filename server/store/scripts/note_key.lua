#!lua flags=allow-oom
-- Notes for a while which key a node uses. On a full store, too: a node may start there, to end
-- sessions, and no key may be retired because its note had no room.
--
-- KEYS  1 note
-- ARGV  1 text  2 TTL, ms
-- Returns 'OK'
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
