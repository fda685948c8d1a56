-- Creates the session of a visitor without an account, if there is room for it. It has no index and
-- evicts nothing.
--
-- KEYS  1 session  2 tombstone  3 shard epoch
-- ARGV  1 operation id  2 shard epoch expected  3 value
--       4 sid  5 record TTL, ms  6… what else `claim_room` takes
-- Returns {'created'} | {'ended', tombstone} | {'epoch_changed'} | {'taken'} | {'full', ms}
-- include parts/visitors.lua

local tombstone = redis.call('GET', KEYS[2])
if tombstone then return {'ended', tombstone} end

local existing = redis.call('GET', KEYS[1])
if existing then
  local operation = string.match(existing, '^%d+ (%S+) ')
  if operation == ARGV[1] then return {'created'} end
  return {'taken'}
end

local epoch = string.match(redis.call('GET', KEYS[3]) or '', '^%S*')
if epoch ~= ARGV[2] then return {'epoch_changed'} end

local wait = claim_room({unpack(ARGV, 4)}, true)
if wait then return {'full', wait} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[5])
return {'created'}
