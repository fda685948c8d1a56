-- Lists a user's sessions, and removes from the index what has no record any more. Its cost grows
-- only with the user's own sessions. Sessions that lapsed are listed, too: the caller knows the
-- timeouts, and an end must find them as long as their records are there.
--
-- KEYS  1 index of the user  2 shard epoch  3 socket counts of the user  4 nodes
-- ARGV  1 key prefix of the shard
-- Returns {shard epoch, {sid, value, …}, {'<sid> <node>', count, …}, {listed node, …}}
local found = {}
for _, sid in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local value = redis.call('GET', ARGV[1] .. 'session:' .. sid)
  if value then
    found[#found + 1] = sid
    found[#found + 1] = value
  else
    redis.call('ZREM', KEYS[1], sid)
  end
end
return {
  redis.call('GET', KEYS[2]) or '', found, redis.call('HGETALL', KEYS[3]),
  redis.call('ZRANGE', KEYS[4], 0, -1),
}
