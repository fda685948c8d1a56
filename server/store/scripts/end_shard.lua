#!lua flags=allow-oom
-- Ends every session of the shard at once, however many there are: a record carries the epoch in
-- which it was created, and the epoch changes. Sign-ins under way are refused by the same
-- comparison.
--
-- As in end_user.lua, an end is remembered by its id, so that no epoch ever returns.
--
-- KEYS  1 shard epoch  2 control stream  3 nodes  4 note of this end  5 renewals
-- ARGV  1 end id  2 reason  3 TTL of the note, ms  4… the signed entry of the end
-- Returns {{node, lease end, …}, {node, renewal, …}}
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])

if redis.call('SET', KEYS[4], '', 'NX', 'PX', ARGV[3]) then
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. now)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'at', now, unpack(ARGV, 4))
end
return {redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[5])}
