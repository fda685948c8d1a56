-- Sets how many sockets of a session one node holds. It sets a number and adds nothing, so running
-- it twice is harmless.
--
-- KEYS  1 socket counts of the user  2 session  3 control stream
-- ARGV  1 '<sid> <node>'  2 count  3 TTL, ms  4… the signed entry of the change
-- Returns nothing
if tonumber(ARGV[2]) > 0 and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 4))
