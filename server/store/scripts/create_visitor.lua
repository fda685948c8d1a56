-- Creates the session of a visitor without an account, if there is room for it. It has no index and
-- evicts nothing.
--
-- KEYS  1 session  2 tombstone  3 shard epoch
-- ARGV  1 operation id  2 shard epoch expected  3 value
--       4 sid  5 record TTL, ms  6… what else `claim_room` takes
-- Returns {'created'} | {'ended', tombstone} | {'epoch_changed'} | {'taken'} | {'full', ms}
-- include parts/records.lua
-- include parts/visitors.lua
-- include parts/live.lua

local refusal = refusal_to_create(ARGV[1], ARGV[2])
if refusal then return refusal end

local wait = claim_room({unpack(ARGV, 4)}, true)
if wait then return {'full', wait} end
note_live(KEYS[1], ARGV[5])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[5])
return {'created'}
