#!lua flags=allow-oom
-- Counts the sessions of the shard that live. Those that expire in this minute still count. Forgets
-- the minutes that are over.
--
-- KEYS  1 shard epoch
-- Returns the number
-- include parts/live.lua

local this_minute, number = math.floor(now_of_live / MINUTES), 0
local found = redis.call('ZRANGE', live_key(), 0, -1, 'WITHSCORES')
for place = 1, #found, 2 do
  if tonumber(found[place]) >= this_minute then
    number = number + found[place + 1]
  else
    redis.call('ZREM', live_key(), found[place])
  end
end
return number
