#!lua flags=allow-oom
-- Takes a room off the list of a member who was removed from it, unless the member is being added
-- again: what knew of fewer removals, the room has removed or refuses.
--
-- KEYS  1 names of the member's rooms, as room_index.lua notes them
-- ARGV  1 name of the room  2 removals, with that of the member
-- Returns nothing
local noted_at = redis.call('ZADD', KEYS[1], 'XX', 'INCR', 0, ARGV[1])
if noted_at and tonumber(noted_at) < tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
