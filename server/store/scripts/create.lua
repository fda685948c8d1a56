-- Creates a user's session and enforces the user's limit, in one step, so that two sign-ins cannot both
-- take the last place and no sign-in is missed by an end of all the user's sessions.
--
-- KEYS  1 session  2 tombstone  3 shard epoch  4 index of the user  5 epoch of the user
--       6 control stream
-- ARGV  1 operation id  2 sid  3 value  4 record TTL, ms  5 expires_at (index score)
--       6 shard epoch expected  7 user epoch expected  8 limit
--       9 key prefix of the shard  10 end id of the evictions  11 tombstone TTL, ms, at least
--       12 index TTL, ms  13 length of the signed entry of the evictions
--       14… that entry, followed by the signed entry of the change
-- Returns {'created', evicted sid, …} | {'ended', tombstone} | {'epoch_changed'} | {'taken'}
-- include parts/records.lua
-- include parts/live.lua

local refusal = refusal_to_create(ARGV[1], ARGV[6])
if refusal then return refusal end

local reply = {'created'}
if (redis.call('GET', KEYS[5]) or '') ~= ARGV[7] then return {'epoch_changed'} end

local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
-- A session that lapsed stays in the index as long as its record is there. Longer timeouts, or a
-- clock that was set back, could serve it again, so every end must still find it.
for _, sid in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  local value = redis.call('GET', ARGV[9] .. 'session:' .. sid)
  if not value or string.match(value, '^%d+ %S+ (%S*)\n') ~= ARGV[6] then
    redis.call('ZREM', KEYS[4], sid)
  end
end
local live = redis.call('ZRANGE', KEYS[4], '(' .. now, '+inf', 'BYSCORE')
-- The lowest score expires first, so that session was used least recently.
for place = 1, #live - tonumber(ARGV[8]) + 1 do
  local sid = live[place]
  local life = math.max(redis.call('PTTL', ARGV[9] .. 'session:' .. sid), tonumber(ARGV[11]))
  note_dead(ARGV[9] .. 'session:' .. sid)
  redis.call('DEL', ARGV[9] .. 'session:' .. sid)
  redis.call('ZREM', KEYS[4], sid)
  redis.call('SET', ARGV[9] .. 'ended:' .. sid,
    ARGV[10] .. ' session_limit ' .. now, 'PX', life)
  reply[#reply + 1] = sid
end
if #reply > 1 then
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', 10000, '*', 'at', now,
    'sids', table.concat(reply, ' ', 2), unpack(ARGV, 14, 13 + ARGV[13]))
end
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[2])
-- Never sooner than before: the record of another session may have been given a longer life.
redis.call('PEXPIRE', KEYS[4], math.max(redis.call('PTTL', KEYS[4]), tonumber(ARGV[12])))
redis.call('XADD', KEYS[6], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 14 + ARGV[13]))
note_live(KEYS[1], ARGV[4])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return reply
