#!lua flags=allow-oom
-- Deletes one life of a room. Its sockets are told; who was a member of it finds out when trying to
-- enter. A request that comes late must not delete a room that was made again meanwhile.
--
-- KEYS  1 room  2 names of the shard's rooms
-- ARGV  1 name  2 epoch of the room that is meant
-- Returns 'deleted' | 'gone'
-- include parts/rooms.lua

if room.epoch ~= ARGV[2] then return 'gone' end
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
