-- How many sessions of the shard live, so that nobody must look through all of them:
--
-- <prefix>live:<epoch>  a sorted set of minutes: the score is how many sessions expire in that one,
--                       unless they are used
--
-- A session is in the minute that the TTL of its record says, so its record need not say it, and one
-- from before sessions were counted comes in with its next write. The set expires by itself. An end
-- of everything changes the epoch, and begins at 0 with another set.
local HOUR = 3600 * 1000  -- for which a record is kept after its session has expired
local MINUTES = 60 * 1000

local clock_of_live = redis.call('TIME')
local now_of_live = clock_of_live[1] * 1000 + math.floor(clock_of_live[2] / 1000)
local counts_of_live

-- Returns the key of the set. KEYS begin with a key of the shard.
local function live_key()
  if not counts_of_live then
    local prefix = string.match(KEYS[1], '^[^:]*:[^:]*:')
    local epoch = string.match(redis.call('GET', prefix .. 'epoch') or '', '^%S*')
    counts_of_live = prefix .. 'live:' .. epoch
  end
  return counts_of_live
end

local function change_live(ttl, change)
  if ttl <= HOUR then return end  -- it has expired
  local minute = math.floor((now_of_live + ttl - HOUR) / MINUTES)
  local member = string.format('%.0f', minute)
  if tonumber(redis.call('ZADD', live_key(), 'INCR', change, member)) <= 0 then
    redis.call('ZREM', live_key(), member)
  end
  local kept = (minute + 1) * MINUTES - now_of_live
  if redis.call('PTTL', live_key()) < kept then redis.call('PEXPIRE', live_key(), kept) end
end

-- Notes that a session is about to get a record with a TTL, in ms.
local function note_live(session, ttl)
  local before = redis.call('PTTL', session)
  ttl = tonumber(ttl)
  if math.floor((now_of_live + before) / MINUTES) ~= math.floor((now_of_live + ttl) / MINUTES) then
    change_live(before, -1)
    change_live(ttl, 1)
  end
end

-- Notes that the record of a live session is about to go. One that has ended with the whole shard is
-- in no count any more.
local function note_dead(session)
  change_live(redis.call('PTTL', session), -1)
end
