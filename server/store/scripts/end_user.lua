-- Ends all sessions of a user, but for one to keep, and changes the user's epoch, so that a
-- sign-in whose password was checked before this step is refused after it.
--
-- KEYS  1 index of the user  2 epoch of the user  3 control  4 nodes
-- ARGV  1 event id  2 reason  3 origin  4 user  5 sid to keep ('' for none)  6 tombstone TTL, ms
--       7 key prefix of the shard  8 epoch TTL, ms
-- Returns {sids ended, joined by spaces, node, lease end, …}
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])

local done = redis.call('HMGET', KEYS[2], 'event', 'sids')
local sids = done[2]
if done[1] ~= ARGV[1] then
  local ended = {}
  for _, sid in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if sid ~= ARGV[5] then
      if redis.call('DEL', ARGV[7] .. 'session:' .. sid) == 1 then
        redis.call('SET', ARGV[7] .. 'ended:' .. sid,
          ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. now, 'PX', ARGV[6])
        ended[#ended + 1] = sid
      end
      redis.call('ZREM', KEYS[1], sid)
    end
  end
  sids = table.concat(ended, ' ')
  redis.call('HSET', KEYS[2], 'event', ARGV[1], 'sids', sids)
  redis.call('PEXPIRE', KEYS[2], ARGV[8])
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'kind', 'ended', 'event', ARGV[1],
    'origin', ARGV[3], 'reason', ARGV[2], 'at', now, 'user', ARGV[4], 'sids', sids)
end

local reply = redis.call('ZRANGE', KEYS[4], now, '+inf', 'BYSCORE', 'WITHSCORES')
table.insert(reply, 1, sids)
return reply
