-- Returns what a room has kept after a message: the latest of it, up to some size. One who asks for it
-- must not make the store and the node handle a thousand messages of 64 KiB.
--
-- KEYS  1 room
-- ARGV  1 number of the message  2 bytes of messages at most
-- Returns 'unknown' | {history, epoch, number of the latest message, number, box, …}
-- include parts/rooms.lua

if not exists then return 'unknown' end
local AT_ONCE = 16
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local oldest = room.keep_ms == '0' and 0 or now - room.keep_ms
local most = tonumber(ARGV[2])
local after, upper = tonumber(ARGV[1]), tonumber(room.messages)
local kept, size = {}, 0
while upper > after do  -- backwards, in pieces; the id of a message is its number
  local lower = math.max(after, upper - AT_ONCE)
  local place = string.format('%.0f-0', lower)
  local found = redis.call('XREAD', 'COUNT', upper - lower, 'STREAMS', room_key .. ':log', place)
  local entries = found and found[1][2] or {}
  local is_more = #entries == upper - lower
  for back = #entries, 1, -1 do
    local number, at, box = string.match(entries[back][1], '^%d+'), entries[back][2][2], entries[back][2][4]
    if tonumber(number) <= upper then
      size = size + #box
      is_more = is_more and tonumber(at) >= oldest and size <= most
      if tonumber(at) < oldest or size > most then break end
      kept[#kept + 1] = {number, box}
    end
  end
  upper = is_more and lower or 0
end
local reply = {history(), room.epoch, room.messages}
for place = #kept, 1, -1 do
  reply[#reply + 1] = kept[place][1]
  reply[#reply + 1] = kept[place][2]
end
return reply
