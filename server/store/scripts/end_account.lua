#!lua flags=allow-oom
-- Ends all sessions of a user as `end_user.lua` does, and in the same step removes the user's account
-- or replaces it, if it is still the one that the writer read. So no sign-in finds the account as it
-- was after its sessions have ended, and nobody is left signed in to an account that is gone.
--
-- A repeated request with the same end id gets the same reply, and touches no account that was made
-- under the name meanwhile.
--
-- KEYS  1 index of the user  2 epoch of the user  3 control stream  4 nodes  5 note of this end
--       6 shard epoch  7 renewals  8 account  9 names of accounts  10 activity
--       11 note of removal  12 handle (optional)
-- ARGV  1 end id  2 reason  3 sid to keep, always ''  4 tombstone TTL, ms, at least
--       5 key prefix of the shard  6 TTL of epoch and notes, ms
--       7 revision of the account (0: there is none)  8 user  9 the new value; '' removes the account
--       10… the signed entry of the end
-- Returns as end_user.lua, or {'conflict'}
-- include parts/live.lua
-- include parts/end_user.lua

if redis.call('GET', KEYS[5]) then return end_user(10) end

local value = redis.call('GET', KEYS[8])
local revision = value and string.match(value, '^(%d+) ') or '0'
if revision ~= ARGV[7] then return {'conflict'} end

if value and ARGV[9] ~= '' then
  redis.call('SET', KEYS[8], ARGV[9])
elseif value then
  -- An account that is made under the name later begins above this revision, so that a write that
  -- is based on the removed one never meets its own revision again.
  redis.call('SET', KEYS[11], revision, 'PX', ARGV[6])
  redis.call('DEL', KEYS[8], KEYS[10])
  redis.call('ZREM', KEYS[9], ARGV[8])
  if KEYS[12] then redis.call('DEL', KEYS[12]) end
end
return end_user(10)
