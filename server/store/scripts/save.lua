-- Replaces the record of a user's session if it still has the revision that the writer read and the session has
-- not ended. So no late write brings a session back (P3), and none overwrites another.
--
-- KEYS  1 session  2 tombstone  3 shard epoch  4 index of the user  5 control stream
-- ARGV  1 operation id  2 revision expected  3 value  4 record TTL, ms  5 expires_at (index score)
--       6 sid  7 index TTL, ms
--       8… an event's signed entry, or none
-- Returns {'saved'} | {'conflict'} | {'ended', tombstone} | {'missing'}
-- include parts/records.lua

local refusal = refusal_to_save(ARGV[1], ARGV[2])
if refusal then return refusal end

redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[6])
-- Never sooner than before: the record of another session may have been given a longer life.
redis.call('PEXPIRE', KEYS[4], math.max(redis.call('PTTL', KEYS[4]), tonumber(ARGV[7])))
if #ARGV > 7 then
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 8))
end
return {'saved'}
