-- Returns who is in a room.
--
-- KEYS  1 room  2 nodes
-- ARGV  nothing
-- Returns 'unknown' | {'u <user>' or 's <sid>', sockets, …}, without nodes that are not listed
-- include parts/rooms.lua

if not exists then return 'unknown' end
local listed, sockets, order = {}, {}, {}
for _, node in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do listed[node] = true end
each_present(function(user, sid, node)
  if listed[node] then
    local person = person_of(user, sid)
    if not sockets[person] then order[#order + 1] = person end
    sockets[person] = (sockets[person] or 0) + score(room_key .. ':present', user .. ' ' .. sid .. ' ' .. node)
  end
end)
local reply = {}
for _, person in ipairs(order) do
  reply[#reply + 1] = person
  reply[#reply + 1] = tostring(sockets[person])
end
return reply
