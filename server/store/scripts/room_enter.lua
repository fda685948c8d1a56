-- Lets sessions of one node into a room, and tells that node from now on what happens in it.
--
-- After the application's check, nobody is let in if somebody was removed since before the check:
-- the check may not have known. A request that comes after a later count of its node changes nothing:
-- the node may have given it up, and nobody would take back what it sets.
--
-- KEYS  1 room
-- ARGV  1 node  2 turn of this request  3 'granted' | 'checked' | 'again'
--       4 removals before the check  5… user, session, sockets of each
-- Returns 'unknown' | 'removed' | 'overtaken' | {history, epoch, seq, messages, '1' if the node listened before,
--          '1' or '0' for each session}
-- include parts/rooms.lua

if not exists then return 'unknown' end
if ARGV[3] == 'checked' and room.removals ~= ARGV[4] then return 'removed' end
local turn = tonumber(ARGV[2])
local entered, counted, listened = turns_of(ARGV[1])
if counted > turn then return 'overtaken' end
local is_in, some = {}, false
for place = 5, #ARGV, 3 do
  local user, sid = ARGV[place], ARGV[place + 1]
  local may = ARGV[3] == 'checked'
    or (user ~= '' and contains(room_key .. ':members', 'u ' .. user))
    or contains(room_key .. ':members', 's ' .. user .. ' ' .. sid)
    or (ARGV[3] == 'again'
      and score(room_key .. ':present', user .. ' ' .. sid .. ' ' .. ARGV[1]) > 0)
  is_in[#is_in + 1] = may and '1' or '0'
  some = some or may
end
if some then listen(ARGV[1], math.max(entered, turn), counted) end
for place = 5, #ARGV, 3 do
  if is_in[(place - 2) / 3] == '1' then
    set_count(ARGV[place], ARGV[place + 1], ARGV[1], tonumber(ARGV[place + 2]))
  end
end
local reply = {history(), room.epoch, room.seq, room.messages, listened and '1' or '0'}
for _, each in ipairs(is_in) do reply[#reply + 1] = each end  -- `unpack` takes 8,000 at most
return reply
