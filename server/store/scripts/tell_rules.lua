#!lua flags=allow-oom
-- Notes the session rules of a listed node, and returns those of all, in one step: of two nodes that
-- begin at once, one reads what the other has noted.
--
-- KEYS  1 rules
-- ARGV  1 node  2 its rules
-- Returns {node, rules, …}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
