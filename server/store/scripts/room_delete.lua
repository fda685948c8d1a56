#!lua flags=allow-oom
-- Deletes a room. Its sockets are told; who was a member of it finds out when trying to enter.
--
-- KEYS  1 room  2 names of the shard's rooms
-- ARGV  1 name
-- Returns 'deleted' | 'unknown'
-- include parts/rooms.lua

if not exists then return 'unknown' end
tell('kind', 'deleted')
for node in pairs(read_map(room_key .. ':listeners')) do
  local _, counted = turns_of(node)
  stop_listening(node, counted)
end
for _, part in ipairs({'', ':members', ':lapses', ':listeners', ':present', ':people', ':log'}) do
  redis.call('DEL', room_key .. part)
end
redis.call('ZREM', KEYS[2], ARGV[1])
return 'deleted'
