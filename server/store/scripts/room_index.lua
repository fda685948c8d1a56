-- Notes that a member is to be added to a room, where a node looks when a socket of the member opens.
-- Only the room decides, so an entry too many does no harm; a missing one would.
--
-- KEYS  1 names of the member's rooms, scored by the removals that the latest addition knew of
-- ARGV  1 name of the room  2 rooms that a member may have  3 TTL, ms, if any  4 removals
-- Returns 'noted' | 'full'
local is_new = not redis.call('ZADD', KEYS[1], 'XX', 'INCR', 0, ARGV[1])
if is_new and #redis.call('ZRANGE', KEYS[1], ARGV[2] - 1, ARGV[2] - 1) > 0 then return 'full' end
redis.call('ZADD', KEYS[1], 'GT', ARGV[4], ARGV[1])
if tonumber(ARGV[3]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 'noted'
