-- Ends all sessions of a user, except one to keep, and changes the user's epoch. KEYS and ARGV begin
-- as `end_user.lua` says, which includes parts/live.lua before.

-- Returns the reply. `first` is where in ARGV the signed entry of the end begins.
local function end_user(first)
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
          local life = math.max(
            redis.call('PTTL', ARGV[5] .. 'session:' .. sid), tonumber(ARGV[4]))
          if not is_over then note_dead(ARGV[5] .. 'session:' .. sid) end
          redis.call('DEL', ARGV[5] .. 'session:' .. sid)
          redis.call('SET', ARGV[5] .. 'ended:' .. sid, mark, 'PX', life)
        end
        redis.call('ZREM', KEYS[1], sid)
      end
    end
    sids = table.concat(ended, ' ')
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[6])
    redis.call('SET', KEYS[5], sids, 'PX', ARGV[6])
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'at', now, 'sids', sids, unpack(ARGV, first))
  end

  return {
    sids, redis.call('ZRANGE', KEYS[4], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[7]),
  }
end
