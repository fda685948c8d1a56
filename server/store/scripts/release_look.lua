#!lua flags=allow-oom
-- Gives up a user's claim of a look, unless it was made anew.
--
-- KEYS  1 look
-- ARGV  1 user  2 when the account was removed, ms
-- Returns nothing
local at, holder = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
if holder == ARGV[1] and tonumber(at) <= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
