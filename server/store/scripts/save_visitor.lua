-- Replaces the record of a visitor without an account, as save.lua does, if there is room for it.
--
-- KEYS  1 session  2 tombstone  3 shard epoch  4 control stream
-- ARGV  1 operation id  2 revision expected  3 value
--       4 sid  5 record TTL, ms  6 … 13 what else `claim_room` takes
--       14… an event's signed entry, or none
-- Returns {'saved'} | {'conflict'} | {'ended', tombstone} | {'missing'} | {'full', ms}
-- include parts/records.lua
-- include parts/visitors.lua
-- include parts/live.lua

local ended = redis.call('GET', KEYS[3]) or ''
local refusal = refusal_to_save(KEYS[1], KEYS[2], ended, ARGV[1], ARGV[2])
if refusal then return refusal end

local wait = claim_room({unpack(ARGV, 4, 13)}, false)
if wait then return {'full', wait} end
note_live(KEYS[1], ARGV[5])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[5])
if #ARGV > 13 then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 14))
end
return {'saved'}
