#!lua flags=allow-oom
-- Writes an account if it still has the revision that the writer read (0: it does not exist yet), and
-- notes its name. If the account has a handle, the key that leads from the handle to the user is
-- written in the same step.
--
-- A new account inherits nothing from a removed one of its name: no list of activity that somebody
-- wrote late, and no revision. If it is asked for, it begins an epoch of its user as well: a sign-in to
-- an account whose making was lost with an old master never gets a session under the name.
--
-- On a full store, too: who disables an account or replaces a password helps out of trouble. Whether
-- there is room for a new account is asked before.
--
-- KEYS  1 account  2 names of accounts  3 activity  4 note of removal  5 epoch of the user  6 handle
--       (all but the first are optional)
-- ARGV  1 operation id  2 revision expected  3 value  4 user  5 revision of the value
--       6 TTL of the epoch that a new account begins, ms; 0: it begins none
-- Returns 'saved' | 'conflict'
local value = redis.call('GET', KEYS[1])
local revision, operation = '0', ''
if value then revision, operation = string.match(value, '^(%d+) (%S+) ') end
if operation == ARGV[1] then return 'saved' end
if revision ~= ARGV[2] then return 'conflict' end
if KEYS[4] and not value then
  if tonumber(redis.call('GET', KEYS[4]) or '0') >= tonumber(ARGV[5]) then return 'conflict' end
  redis.call('DEL', KEYS[3])
  if ARGV[6] ~= '0' then redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[6]) end
end
redis.call('SET', KEYS[1], ARGV[3])
if KEYS[2] then redis.call('ZADD', KEYS[2], 0, ARGV[4]) end
if KEYS[6] then redis.call('SET', KEYS[6], ARGV[4]) end
return 'saved'
