-- Adds a user or a session to a room, unless somebody was removed since the caller has looked: a
-- request that comes late must not bring back who was removed meanwhile.
--
-- KEYS  1 room
-- ARGV  1 user  2 session; empty for the user  3 for how many ms; nothing is no limit
--       4 members that a room may have  5 removals when the caller looked
-- Returns 'added' | 'unknown' | 'removed' | 'full'
-- include parts/rooms.lua

if not exists then return 'unknown' end
if room.removals ~= ARGV[5] then return 'removed' end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local members, lapses = room_key .. ':members', room_key .. ':lapses'
for _, member in ipairs(redis.call('ZRANGE', lapses, '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  redis.call('ZREM', members, member)
  redis.call('ZREM', lapses, member)
end
local member = ARGV[2] == '' and 'u ' .. ARGV[1] or 's ' .. ARGV[1] .. ' ' .. ARGV[2]
if not contains(members, member) then
  if #redis.call('ZRANGE', members, ARGV[4] - 1, ARGV[4] - 1) > 0 then return 'full' end
  redis.call('ZADD', members, 0, member)
end
if tonumber(ARGV[3]) > 0 then
  redis.call('ZADD', lapses, string.format('%.0f', now + ARGV[3]), member)
end
return 'added'
