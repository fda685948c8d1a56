#!lua flags=allow-oom
-- Lists a node for one more lease. Its number of renewals never goes back, even if an earlier
-- request runs late: who sees the same entry twice knows that there was no renewal in between.
--
-- Nobody is taken off the list because of the store's clock, which may have been set. The other
-- nodes do that by their own clocks (drop_node.lua).
--
-- An entry also says at which renewal it began. So if the store lost its data, the node learns of it,
-- even if the reply to the first renewal after that was lost too.
--
-- KEYS  1 nodes  2 renewals  3 where the dropped entry of this node began
-- ARGV  1 node  2 lease, ms  3 number of this renewal
-- Returns {seconds, microseconds (the store's clock), {node, lease end, …}, {node, renewal, …}}
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000

local is_listed = false
for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if node == ARGV[1] then is_listed = true end
end
local number, began
local renewals = redis.call('HGETALL', KEYS[2])
for place = 1, #renewals, 2 do
  if is_listed and renewals[place] == ARGV[1] then
    number, began = string.match(renewals[place + 1], '^(%d+) %d+ (%d+)$')
  end
end

if not number then
  began = redis.call('GET', KEYS[3]) or ARGV[3]
  redis.call('DEL', KEYS[3])
end
if not number or tonumber(number) < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ' ' .. ARGV[2] .. ' ' .. began)
end
redis.call('ZADD', KEYS[1], string.format('%.6f', now + ARGV[2] / 1000), ARGV[1])
return {
  clock[1], clock[2], redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', KEYS[2]),
}
