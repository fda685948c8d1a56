#!lua flags=allow-oom
-- Lists the nodes that are in rooms of the shard and not on the list of nodes.
--
-- KEYS  1 nodes that are in rooms  2 nodes
-- ARGV  nothing
-- Returns the nodes
local listed, ghosts = {}, {}
for _, node in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do listed[node] = true end
for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not listed[node] then ghosts[#ghosts + 1] = node end
end
return ghosts
