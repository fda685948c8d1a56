-- Takes a counted try out of its counters again, and marks its address as familiar.
--
-- If no other try came after it, a counter returns to what it was before the try, so that the try
-- delays nobody. Otherwise the counter remembers one try less. A repeated run finds its own mark in
-- the counter and changes nothing; if another try came in between, it takes out one try too many.
--
-- KEYS  1… counters, then the mark, if it is to be set
-- ARGV  1 operation id of the try  2 TTL of the mark, ms; 0: there is none  3 when it was counted, ms
--       4… for each counter: forgets, ms; 0: forget all its tries, not only this one
-- Returns nothing
local last = #KEYS
if tonumber(ARGV[2]) > 0 then
  redis.call('SET', KEYS[last], ARGV[3], 'PX', ARGV[2])
  last = last - 1
end

local settled = ARGV[1] .. '!'
for place = 1, last do
  local forgets, value = tonumber(ARGV[place + 3]), redis.call('GET', KEYS[place])
  if value and forgets == 0 then
    redis.call('DEL', KEYS[place])
  elseif value then
    local tries, at, operation, before, former = string.match(
      value, '^(%S+) (%S+) (%S*) (%S+) (%S+)$')
    if operation ~= settled then
      tries = tries - 1
      if operation == ARGV[1] then tries, at = tonumber(before), former end
      if tries <= 0 then
        redis.call('DEL', KEYS[place])
      else
        redis.call('SET', KEYS[place], string.format('%.6f %s %s %s %s', tries, at, settled, tries, at),
          'PX', string.format('%.0f', math.ceil(tries * forgets)))
      end
    end
  end
end
