-- Replaces an account's recent activity if it still has the revision that the writer read (0: there
-- is none, or none with a valid header).
--
-- KEYS  1 activity
-- ARGV  1 operation id  2 revision expected  3 value  4 TTL, ms
-- Returns 'saved' | 'conflict'
local value = redis.call('GET', KEYS[1]) or ''
local revision, operation = string.match(value, '^([1-9]%d*) (%S+) ')
if operation == ARGV[1] then return 'saved' end
if not revision or #revision > 15 then revision = '0' end
if tonumber(revision) ~= tonumber(ARGV[2]) then return 'conflict' end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 'saved'
