#!lua flags=allow-oom
-- Writes an account if it still has the revision that the writer read (0: it does not exist yet).
-- If the account has a handle, the key that leads from the handle to the user is written in the
-- same step.
--
-- On a full store, too: who disables an account or replaces a password helps out of trouble. Whether
-- there is room for a new account is asked before.
--
-- KEYS  1 account  2 handle (optional)
-- ARGV  1 operation id  2 revision expected  3 value  4 user
-- Returns 'saved' | 'conflict'
local value = redis.call('GET', KEYS[1])
local revision, operation = '0', ''
if value then revision, operation = string.match(value, '^(%d+) (%S+) ') end
if operation == ARGV[1] then return 'saved' end
if revision ~= ARGV[2] then return 'conflict' end
redis.call('SET', KEYS[1], ARGV[3])
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[4]) end
return 'saved'
