-- Publishes in a room: tells every node with sockets in it, and nobody else.
--
-- KEYS  1 room
-- ARGV  1 box  2 id of the acknowledgement; empty for none  3 node that waits for it
-- Returns 'unknown' | {history, epoch, number of the message, {the nodes that are told}}
-- include parts/rooms.lua

if not exists then return 'unknown' end
room.messages = string.format('%.0f', tonumber(room.messages) + 1)
redis.call('HSET', room_key, 'messages', room.messages)
local told = tell('kind', 'message', 'message', room.messages, 'box', ARGV[1], 'ack', ARGV[2], 'node', ARGV[3])
if room.keep ~= '0' then
  local clock = redis.call('TIME')
  redis.call('XADD', room_key .. ':log', 'MAXLEN', room.keep, room.messages .. '-0',
    'at', clock[1] * 1000 + math.floor(clock[2] / 1000), 'box', ARGV[1])
  if room.keep_ms ~= '0' then redis.call('PEXPIRE', room_key .. ':log', room.keep_ms) end
end
return {history(), room.epoch, room.messages, told}
