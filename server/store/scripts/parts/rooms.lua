-- One room: who may be in it, who is in it, which nodes hear of it. All its keys are in one shard:
--
-- KEYS[1] <prefix>room:<digest>  a hash: name, epoch (names this life of the room), seq (number of the
--                                latest thing), messages, removals, presence, keep, keep_ms. The removals
--                                begin with the time at which the room was made, in µs: no two
--                                lives of a room have a number of them in common, and later lives
--                                have larger ones
--   :members     whom the server added, all with score 0: 'u <user>' or 's <user> <sid>'
--   :lapses      the sessions among them, scored by when they are over, in ms
--   :listeners   a hash of the nodes that are told, with the turns of the latest entry and count of each
--   :turn:<node> the turn of the latest count of a node that does not listen, for as long as an earlier
--                request of the node may come
--   :present     '<user> <sid> <node>', scored by how many sockets are in the room there
--   :people      'u <user>' or 's <sid>', scored by how many sockets these have in all
--   :log         the messages kept for replay; the id of each is '<number>-0'
-- <prefix>inbox:<node>           a stream of what happens in the rooms that a node listens to
-- <prefix>roomnodes              the nodes that are in rooms
-- <prefix>noderooms:<node>       the digests of these rooms
--
-- A user's name has no space. A visitor's is empty.
local room_key = KEYS[1]
local room_prefix = string.match(room_key, '^[^:]*:[^:]*:')
local digest = string.match(room_key, '([^:]*)$')
local INBOX_ENTRIES = 1000
local INBOX_MS = 3600 * 1000
local LATEST_MS = 600 * 1000  -- no network keeps what was sent on a closed connection for so long

local function read_map(key)
  local found, list = {}, redis.call('HGETALL', key)
  for place = 1, #list, 2 do found[list[place]] = list[place + 1] end
  return found
end

local room = read_map(room_key)
local exists = room.name ~= nil

local function history()
  local ok, told = pcall(redis.call, 'INFO', 'replication')
  return ok and string.match(told, 'master_replid:(%S+)') or ''
end

-- Gives the next number to something, tells it to every node that listens, and returns these.
local function tell(...)
  room.seq = string.format('%.0f', tonumber(room.seq) + 1)
  redis.call('HSET', room_key, 'seq', room.seq)
  local told = {}
  for node in pairs(read_map(room_key .. ':listeners')) do
    local inbox = room_prefix .. 'inbox:' .. node
    redis.call('XADD', inbox, 'MAXLEN', '~', INBOX_ENTRIES, '*', 'room', digest, 'epoch', room.epoch,
      'seq', room.seq, ...)
    redis.call('PEXPIRE', inbox, INBOX_MS)
    told[#told + 1] = node
  end
  return told
end

-- Returns the score of a member of a sorted set; 0 if it is not in it.
local function score(key, member)
  return tonumber(redis.call('ZADD', key, 'XX', 'INCR', 0, member) or 0) or 0
end

local function contains(key, member)
  return #redis.call('ZRANGE', key, '[' .. member, '[' .. member, 'BYLEX') > 0
end

local function person_of(user, sid)
  return user ~= '' and 'u ' .. user or 's ' .. sid
end

-- Sets how many sockets of a session are in the room on one node.
local function set_count(user, sid, node, count)
  local field = user .. ' ' .. sid .. ' ' .. node
  local before = score(room_key .. ':present', field)
  if count == before then return end
  if count > 0 then
    redis.call('ZADD', room_key .. ':present', count, field)
  else
    redis.call('ZREM', room_key .. ':present', field)
  end
  local person = person_of(user, sid)
  local total = tonumber(redis.call('ZADD', room_key .. ':people', 'INCR', count - before, person))
  if total <= 0 then redis.call('ZREM', room_key .. ':people', person) end
  if room.presence == '1' and (total <= 0 or total == count - before) then
    tell('kind', 'presence', 'person', person, 'come', total > 0 and '1' or '0')
  end
end

-- Returns the turns of the latest entry and of the latest count of a node, and whether it listens.
local function turns_of(node)
  local both = read_map(room_key .. ':listeners')[node]
  if both then
    local entered, counted = string.match(both, '^(%d+) ?(%d*)$')
    return tonumber(entered) or 0, tonumber(counted) or 0, true
  end
  return 0, tonumber(redis.call('GET', room_key .. ':turn:' .. node) or 0), false
end

local function note_turns(node, entered, counted)
  redis.call('HSET', room_key .. ':listeners', node, string.format('%.0f %.0f', entered, counted))
end

local function keep_turn(node, counted)
  redis.call('SET', room_key .. ':turn:' .. node, string.format('%.0f', counted), 'PX', LATEST_MS)
end

local function listen(node, entered, counted)
  note_turns(node, entered, counted)
  redis.call('ZADD', room_prefix .. 'noderooms:' .. node, 0, digest)
  redis.call('ZADD', room_prefix .. 'roomnodes', 0, node)
end

local function stop_listening(node, counted)
  if counted > 0 then keep_turn(node, counted) end
  redis.call('HDEL', room_key .. ':listeners', node)
  redis.call('ZREM', room_prefix .. 'noderooms:' .. node, digest)
end

-- Calls `act` with the user, the session, the node and the field of each that is present.
local function each_present(act)
  for _, field in ipairs(redis.call('ZRANGE', room_key .. ':present', 0, -1)) do
    local user, sid, node = string.match(field, '^(%S*) (%S+) (%S+)$')
    if user then act(user, sid, node) end
  end
end
