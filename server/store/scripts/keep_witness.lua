#!lua flags=allow-oom
-- Adds a note to the key witness, and removes notes from it. The first note is only written if there
-- is none: of two servers that begin on one store at once, one decides under which keys its data is.
--
-- KEYS  1 witness
-- ARGV  1 whether it must be the first note (1 or 0)  2 version of its key  3 the note
--       4… versions whose notes go
-- Returns {version, note, …} as it is now
if ARGV[1] == '0' or redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
  if #ARGV > 3 then redis.call('HDEL', KEYS[1], unpack(ARGV, 4)) end
end
return redis.call('HGETALL', KEYS[1])
