-- What visitors without an account keep in the shard: each session is counted from its creation
-- until its record is gone. If it ends sooner, the bytes of its tombstone are counted until that is
-- gone: who begins and ends sessions without end leaves many.
--
-- <prefix>visitors            sids, scored by when the record or tombstone goes, in Unix seconds
-- <prefix>visitor:<sid>       '<bytes> <digest of the data> <network>'; after the end, the digest
--                             is '-'
-- <prefix>visitors:<network>  '<sessions> <bytes> <settled at>'; '' is all networks together
--
-- Writing is limited, too: rewriting one session again and again fills the disk of a store that
-- logs its writes. In a minute, as many bytes may be written as may be kept. `settled at` is when
-- all that was written will be forgotten (`server.core.rate` computes likewise).
local prefix = string.match(KEYS[1], '^[^:]*:[^:]*:')
local clock_of_room = redis.call('TIME')
local this_moment = clock_of_room[1] + clock_of_room[2] / 1000000
local MINUTE = 60
local TOMBSTONE_BYTES = 512

local function read_room(network)
  local key = prefix .. 'visitors:' .. network
  local sessions, bytes, settled = string.match(
    redis.call('GET', key) or '0 0 0', '^(%d+) (%d+) (%S+)$')
  return {
    key = key, sessions = tonumber(sessions), bytes = tonumber(bytes),
    settled = math.max(tonumber(settled), this_moment),
  }
end

local function write_room(room, sessions, bytes, settled, ttl)
  sessions, bytes = math.max(0, room.sessions + sessions), math.max(0, room.bytes + bytes)
  local value = string.format('%.0f %.0f %.3f', sessions, bytes, settled)
  if sessions + bytes == 0 then ttl = 2 * MINUTE * 1000 end
  if ttl then
    redis.call('SET', room.key, value, 'PX', ttl)
  else
    redis.call('SET', room.key, value, 'KEEPTTL')
  end
end

local function read_visitor(sid)
  return string.match(redis.call('GET', prefix .. 'visitor:' .. sid) or '', '^(%d+) (%S+) (%S+)$')
end

-- Counts the tombstone of a session, of `ttl` ms, in place of its record, if that was counted.
local function bury_visitor(sid, ttl)
  local bytes, digest, network = read_visitor(sid)
  if not bytes or digest == '-' then return end
  for _, name in ipairs({network, ''}) do
    local room = read_room(name)
    write_room(room, -1, TOMBSTONE_BYTES - bytes, room.settled, ttl)
  end
  redis.call('SET', prefix .. 'visitor:' .. sid, TOMBSTONE_BYTES .. ' - ' .. network, 'PX', ttl)
  redis.call('ZADD', prefix .. 'visitors', string.format('%.3f', this_moment + ttl / 1000), sid)
  redis.call('PEXPIRE', prefix .. 'visitors', ttl)
end

local function forget_visitor(sid)
  local bytes, digest, network = read_visitor(sid)
  if bytes then
    for _, name in ipairs({network, ''}) do
      local room = read_room(name)
      write_room(room, digest == '-' and 0 or -1, -bytes, room.settled)
    end
    redis.call('DEL', prefix .. 'visitor:' .. sid)
  end
  redis.call('ZREM', prefix .. 'visitors', sid)
end

local function forget_gone_visitors()
  for _, sid in ipairs(redis.call('ZRANGE', prefix .. 'visitors', '-inf',
      string.format('%.3f', this_moment), 'BYSCORE', 'LIMIT', 0, 100)) do
    if redis.call('EXISTS', prefix .. 'session:' .. sid) == 0 then forget_visitor(sid) end
  end
end

-- Returns how long to wait for room, in seconds; 0 or less if there is room.
local function wait_for_room(room, sessions, bytes, written, most_sessions, most_bytes)
  if sessions > 0 and room.sessions + sessions > most_sessions then return MINUTE end
  if bytes > 0 and room.bytes + bytes > most_bytes then return MINUTE end
  return room.settled + written * MINUTE / most_bytes - this_moment - MINUTE
end

-- Counts the write of a session, whose record exists unless `is_new`. `asked` has its sid, the TTL
-- of its record and the longest TTL, in ms, its bytes, the digest of its data, its network, and the
-- limits: sessions and bytes of a network, sessions and bytes in all.
--
-- Returns nil; or, if there is no room and nothing was counted, for how many ms there is none. A
-- write that leaves the data as it is always has room, and so has the first counted write of a
-- session from before sessions were counted.
local function claim_room(asked, is_new)
  forget_gone_visitors()
  local sid, ttl, longest_ttl, bytes, digest, network = unpack(asked, 1, 6)
  local before, known, counted_by = read_visitor(sid)
  network = counted_by or network  -- a new secret key gives the same network another digest
  local sessions, more = before and 0 or 1, bytes - (before or 0)
  if digest ~= known then
    local rooms, settled = {read_room(network), read_room('')}, {}
    for place, room in ipairs(rooms) do
      local most_sessions, most_bytes = tonumber(asked[5 + 2 * place]), tonumber(asked[6 + 2 * place])
      local wait = wait_for_room(
        room, is_new and 1 or 0, more, tonumber(bytes), most_sessions, most_bytes)
      if wait > 0 and (is_new or known) then return math.ceil(wait * 1000) end
      settled[place] = room.settled + bytes * MINUTE / most_bytes
    end
    for place, room in ipairs(rooms) do
      write_room(room, sessions, more, settled[place], longest_ttl)
    end
  end
  redis.call('SET', prefix .. 'visitor:' .. sid, bytes .. ' ' .. digest .. ' ' .. network,
    'PX', longest_ttl)
  redis.call('ZADD', prefix .. 'visitors', string.format('%.3f', this_moment + ttl / 1000), sid)
  redis.call('PEXPIRE', prefix .. 'visitors', longest_ttl)
  return nil
end
