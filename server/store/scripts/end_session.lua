#!lua flags=allow-oom
-- Ends one session: removes its record, keeps the reason and tells every node, in one step. Nodes
-- are also told if it had ended before, so that the receipt can wait for their acknowledgement.
--
-- KEYS  1 session  2 tombstone  3 shard epoch  4 index of the user  5 control stream  6 nodes
--       7 renewals
-- ARGV  1 end id  2 sid  3 reason  4 tombstone TTL, ms, at least  5… the signed entry of the end
-- Returns {'ended' | earlier tombstone | '' (there was no session), {node, lease end, …},
--          {node, renewal, …}}
-- include parts/visitors.lua
-- include parts/live.lua

local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])

local outcome = redis.call('GET', KEYS[2])
if outcome and string.match(outcome, '^%S+') == ARGV[1] then
  outcome = 'ended'
else
  local value = redis.call('GET', KEYS[1])
  if value then
    -- Even if there is a tombstone, which must be forged then: the record must not outlive the end.
    local life = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[4]))
    local epoch = redis.call('GET', KEYS[3]) or ''
    local is_live = string.match(value, '^%d+ %S+ (%S*)\n') == string.match(epoch, '^%S*')
    if is_live then note_dead(KEYS[1]) end
    redis.call('DEL', KEYS[1])
    if is_live then
      outcome = 'ended'
      redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[3] .. ' ' .. now, 'PX', life)
    else
      outcome = epoch
      redis.call('SET', KEYS[2], epoch, 'PX', life)
    end
  end
  redis.call('ZREM', KEYS[4], ARGV[2])
  bury_visitor(ARGV[2], ARGV[4])
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', 10000, '*', 'at', now, unpack(ARGV, 5))
end

return {
  outcome or '', redis.call('ZRANGE', KEYS[6], 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', KEYS[7]),
}
