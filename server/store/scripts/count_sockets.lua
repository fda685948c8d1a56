-- Sets how many sockets of a session one node holds. It sets a number and adds nothing, so running
-- it twice is harmless.
--
-- Of a session that has ended nobody is told: it is on no list any more, and its end was told.
--
-- KEYS  1 socket counts of the user  2 session  3 control stream  4 shard epoch
-- ARGV  1 '<sid> <node>'  2 count  3 TTL, ms, at least  4… the signed entry of the change
-- Returns nothing
local value = redis.call('GET', KEYS[2])
local epoch = string.match(redis.call('GET', KEYS[4]) or '', '^%S*')
local lives = value and string.match(value, '^%d+ %S+ (%S*)\n') == epoch
if lives and tonumber(ARGV[2]) > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[2]), tonumber(ARGV[3])))
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
if lives then redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 4)) end
