-- Lists the name of an account, if there still is one.
--
-- KEYS  1 account  2 names of accounts
-- ARGV  1 user
-- Returns nothing
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('ZADD', KEYS[2], 0, ARGV[1]) end
