#!lua flags=allow-oom
-- Removes a name from the administrators, if one of those that are given is still listed. In one
-- step, so that of two administrators who take the role away from each other at once, one stays.
--
-- KEYS  1 administrators
-- ARGV  1 user  2 whether nobody need be left (1 or 0)  3… other administrators
-- Returns 1 if the name is not there any more, or 0
local found, listed = redis.call('HGETALL', KEYS[1]), {}
for place = 1, #found, 2 do listed[found[place]] = true end
local stays = ARGV[2] == '1'
for place = 3, #ARGV do stays = stays or listed[ARGV[place]] end
if not stays then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
