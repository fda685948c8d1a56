#!lua flags=allow-oom
-- Removes a user with all sessions, or one session. In the same step every node that listens is told,
-- before anything that is published later. Runs on a full store too: taking a right away must work.
-- A request that comes late must not take away what was given in a room that was made again.
--
-- KEYS  1 room
-- ARGV  1 user  2 session; empty for the user and all sessions  3 epoch of the room that is meant
-- Returns 'unknown' | 'another' | {removals, and the sessions that the server had added and that are
--          out now}
-- include parts/rooms.lua

if not exists then return 'unknown' end
if room.epoch ~= ARGV[3] then return 'another' end
local members, lapses = room_key .. ':members', room_key .. ':lapses'
local reply = {tonumber(room.removals) + 1}
local function drop(member)
  redis.call('ZREM', members, member)
  redis.call('ZREM', lapses, member)
end
if ARGV[2] ~= '' then
  drop('s ' .. ARGV[1] .. ' ' .. ARGV[2])
  reply[2] = ARGV[2]
else
  drop('u ' .. ARGV[1])
  local first = 's ' .. ARGV[1] .. ' '
  local last = 's ' .. ARGV[1] .. '!'  -- the character behind the space
  for _, member in ipairs(redis.call('ZRANGE', members, '[' .. first, '(' .. last, 'BYLEX')) do
    drop(member)
    reply[#reply + 1] = string.match(member, '(%S+)$')
  end
end
redis.call('HSET', room_key, 'removals', string.format('%.0f', reply[1]))
tell('kind', 'removed', 'user', ARGV[1], 'sid', ARGV[2])
each_present(function(user, sid, node)
  if user == ARGV[1] and (ARGV[2] == '' or sid == ARGV[2]) then set_count(user, sid, node, 0) end
end)
return reply
