#!lua flags=allow-oom
-- Ends all sessions of a user, except one to keep, and changes the user's epoch, so that a sign-in
-- whose password was checked before this step is refused after it.
--
-- An end that was carried out is remembered by its id. A repeated request gets the same reply, even
-- if other ends came in between. Carrying it out again would return the epoch to an earlier value.
--
-- KEYS  1 index of the user  2 epoch of the user  3 control stream  4 nodes  5 note of this end
--       6 shard epoch  7 renewals
-- ARGV  1 end id  2 reason  3 sid to keep ('' for none)  4 tombstone TTL, ms
--       5 key prefix of the shard  6 TTL of epoch and note, ms  7… the signed entry of the end
-- Returns {sids ended, separated by spaces, {node, lease end, …}, {node, renewal, …}}
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])

local sids = redis.call('GET', KEYS[5])
if not sids then
  local ended = {}
  local shard_end = redis.call('GET', KEYS[6]) or ''
  for _, sid in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if sid ~= ARGV[3] then
      local value = redis.call('GET', ARGV[5] .. 'session:' .. sid)
      if value then
        local mark = ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. now
        local is_over = string.match(value, '^%d+ %S+ (%S*)\n') ~= string.match(shard_end, '^%S*')
        -- A session that had ended with the whole shard keeps that reason.
        if is_over and shard_end ~= '' then mark = shard_end else ended[#ended + 1] = sid end
        redis.call('DEL', ARGV[5] .. 'session:' .. sid)
        redis.call('SET', ARGV[5] .. 'ended:' .. sid, mark, 'PX', ARGV[4])
      end
      redis.call('ZREM', KEYS[1], sid)
    end
  end
  sids = table.concat(ended, ' ')
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[6])
  redis.call('SET', KEYS[5], sids, 'PX', ARGV[6])
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'at', now, 'sids', sids, unpack(ARGV, 7))
end

return {
  sids, redis.call('ZRANGE', KEYS[4], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[7]),
}
