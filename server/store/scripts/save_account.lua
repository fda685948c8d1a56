-- Writes an account if it still is the revision that the writer read (0: it does not exist yet).
--
-- KEYS  1 account
-- ARGV  1 operation id  2 revision expected  3 value
-- Returns 'saved' | 'conflict'
local value = redis.call('GET', KEYS[1])
local revision, operation = '0', ''
if value then revision, operation = string.match(value, '^(%d+) (%S+) ') end
if operation == ARGV[1] then return 'saved' end
if revision ~= ARGV[2] then return 'conflict' end
redis.call('SET', KEYS[1], ARGV[3])
return 'saved'
