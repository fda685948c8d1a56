-- Claims a look for a user, unless somebody else has claimed it.
--
-- KEYS  1 look: '<when, ms> <user>'
-- ARGV  1 user  2 now, ms  3 the user's former name, whose claim may be taken over; or ''
--       4 a user without an account, whose claim may be taken over if it is old; or ''
--       5 when an old claim was made at the latest, ms
-- Returns who has claimed it; '' if that is the user now
local at, holder = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
local is_own = holder == ARGV[1] or (ARGV[3] ~= '' and holder == ARGV[3])
local is_stale = holder and ARGV[4] == holder and tonumber(at) <= tonumber(ARGV[5])
if holder and not is_own and not is_stale then return holder end
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[1])
return ''
