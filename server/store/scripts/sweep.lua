#!lua flags=allow-oom
-- Removes the records of an earlier epoch, and leaves a tombstone for each. They already opened no
-- session; this frees their memory.
--
-- KEYS  1 shard epoch  2… sessions
-- ARGV  1 key prefix of the shard  2 tombstone TTL, ms, at least
-- Returns how many were removed
-- include parts/visitors.lua

local ended = redis.call('GET', KEYS[1]) or ''
local epoch = string.match(ended, '^%S*')
local swept = 0
for place = 2, #KEYS do
  local value = redis.call('GET', KEYS[place])
  if value and string.match(value, '^%d+ %S+ (%S*)\n') ~= epoch then
    local sid = string.sub(KEYS[place], #ARGV[1] + #'session:' + 1)
    local life = math.max(redis.call('PTTL', KEYS[place]), tonumber(ARGV[2]))
    redis.call('SET', ARGV[1] .. 'ended:' .. sid, ended, 'PX', life)
    swept = swept + redis.call('DEL', KEYS[place])
    bury_visitor(sid, ARGV[2])
  end
end
return swept
