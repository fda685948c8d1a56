#!lua flags=allow-oom
-- Forgets what a node that is gone left in one room, and tells the others who has left with it.
--
-- KEYS  1 room  2 nodes
-- ARGV  1 node
-- Returns nothing
-- include parts/rooms.lua

for _, node in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if node == ARGV[1] then return end  -- it is back
end
local _, counted = turns_of(ARGV[1])
stop_listening(ARGV[1], counted)
if not exists then return end
each_present(function(user, sid, node)
  if node == ARGV[1] then set_count(user, sid, node, 0) end
end)
