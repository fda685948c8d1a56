#!lua flags=allow-oom
-- Sets how many sockets of some sessions are in a room on one node. It sets numbers and adds nothing,
-- so running it twice is harmless. Numbers from before the node's latest entry or count change nothing.
--
-- KEYS  1 room
-- ARGV  1 node  2 turn of this request  3 '1' if the node still has sockets in the room
--       4… user, session, sockets of each
-- Returns '0' if a later entry or count of this node was done before, else '1'
-- include parts/rooms.lua

local turn = tonumber(ARGV[2])
local entered, counted, listens = turns_of(ARGV[1])
if math.max(entered, counted) > turn then return '0' end
if ARGV[3] ~= '1' then
  stop_listening(ARGV[1], turn)
elseif listens then
  note_turns(ARGV[1], entered, turn)
elseif exists then
  keep_turn(ARGV[1], turn)
end
if not exists then return '1' end
for place = 4, #ARGV, 3 do
  local user, sid, count = ARGV[place], ARGV[place + 1], tonumber(ARGV[place + 2])
  -- Only who is in can be counted: a session that was removed meanwhile stays out.
  if count == 0 or score(room_key .. ':present', user .. ' ' .. sid .. ' ' .. ARGV[1]) > 0 then
    set_count(user, sid, ARGV[1], count)
  end
end
return '1'
