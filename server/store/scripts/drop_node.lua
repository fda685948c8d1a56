#!lua flags=allow-oom
-- Takes a node off the list if it has not renewed since its entry was read. The caller has seen
-- that entry unchanged for a whole lease, by a clock that is never set.
--
-- Where its entry began is kept, so that the node can tell this from a store that lost its data.
--
-- KEYS  1 nodes  2 renewals  3 where the dropped entry began
-- ARGV  1 node  2 lease end  3 renewal ('' if it has none: a node of an earlier version)
--       4 TTL of the third key, ms
-- Returns {lease end, renewal} as found, or {} if the node is not listed
local function value_of(flat)
  for place = 1, #flat, 2 do
    if flat[place] == ARGV[1] then return flat[place + 1] end
  end
end

local lease_end = value_of(redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'))
if not lease_end then return {} end
local renewal = value_of(redis.call('HGETALL', KEYS[2])) or ''
if lease_end == ARGV[2] and renewal == ARGV[3] then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
  local began = string.match(renewal, ' (%d+)$')
  if began then redis.call('SET', KEYS[3], began, 'PX', ARGV[4]) end
end
return {lease_end, renewal}
