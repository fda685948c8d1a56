-- Makes a room, or gives one other options.
--
-- KEYS  1 room  2 names of the shard's rooms
-- ARGV  1 name  2 epoch of a new room  3 '1' for presence  4 messages kept  5 for how many ms
--       6 rooms that the shard may have
-- Returns 'made' | 'changed' | 'full'
-- include parts/rooms.lua

local options = {'presence', ARGV[3], 'keep', ARGV[4], 'keep_ms', ARGV[5]}
if exists then
  redis.call('HSET', room_key, unpack(options))
  if ARGV[4] == '0' then redis.call('DEL', room_key .. ':log') end
  return 'changed'
end
if #redis.call('ZRANGE', KEYS[2], ARGV[6] - 1, ARGV[6] - 1) > 0 then return 'full' end
redis.call('ZADD', KEYS[2], 0, ARGV[1])
local clock = redis.call('TIME')
redis.call('HSET', room_key, 'name', ARGV[1], 'epoch', ARGV[2], 'seq', 0, 'messages', 0,
  'removals', string.format('%.0f', clock[1] * 1000000 + clock[2]), unpack(options))
return 'made'
