-- Replaces records of users' sessions, each if it still has the revision that its writer read and
-- its session has not ended. So no late write brings a session back (P3), and none overwrites
-- another. The writes of one tick come together, and each is decided for itself.
--
-- KEYS  1 shard epoch  2 control stream  3… for each record: session, tombstone, index of the user
-- ARGV  1 index TTL, ms, at least
--       2… for each record: operation id, revision expected, value, record TTL in ms, expires_at
--       (index score), sid, number of fields in an event's signed entry (0: there is no event), and
--       these fields
-- Returns for each record {'saved'} | {'conflict'} | {'ended', tombstone} | {'missing'} |
--       {'failed', error}
-- include parts/records.lua
-- include parts/live.lua

local ended = redis.call('GET', KEYS[1]) or ''

local function save(session, tombstone, index, first)
  local refusal = refusal_to_save(session, tombstone, ended, ARGV[first], ARGV[first + 1])
  if refusal then return refusal end

  note_live(session, ARGV[first + 3])
  redis.call('SET', session, ARGV[first + 2], 'PX', ARGV[first + 3])
  redis.call('ZADD', index, ARGV[first + 4], ARGV[first + 5])
  -- The index stays at least as long as every record that it lists.
  if redis.call('PTTL', index) < tonumber(ARGV[first + 3]) then
    redis.call('PEXPIRE', index, math.max(tonumber(ARGV[1]), tonumber(ARGV[first + 3])))
  end
  local fields = tonumber(ARGV[first + 6])
  if fields > 0 then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', unpack(ARGV, first + 7, first + 6 + fields))
  end
  return {'saved'}
end

local replies, first = {}, 2
for place = 3, #KEYS, 3 do
  local ran, reply = pcall(save, KEYS[place], KEYS[place + 1], KEYS[place + 2], first)
  if not ran then
    local why = type(reply) == 'table' and reply.err or tostring(reply)
    -- Somebody has put something else in the place of a key: that is the matter of one record.
    -- Every other error is the server's, and all the writers must see it.
    if not string.find(why, '^WRONGTYPE') then return {err = why} end
    reply = {'failed', why}
  end
  replies[#replies + 1] = reply
  first = first + 7 + ARGV[first + 6]
end
return replies
