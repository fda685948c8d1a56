-- Counts a try, unless one of its counters says to wait. It is counted in all counters or in none,
-- in one step, so that of many tries at one moment no more pass than the counters allow.
--
-- A counter is "<tries> <at> <operation> <tries before> <at before>": how many tries it remembers,
-- when the latest was, in ms, and its id; then the same two numbers from before it, for
-- `settle_try`. It forgets one try per `forgets`. The caller passes `steps`, "<tries>:<ms> …" in
-- rising order: from so many tries on, the next one waits so long after the latest. A counter
-- without steps does not count this try.
--
-- KEYS  1… counters, then, if there can be one, the mark of a familiar address, and when all marks of
--       the account were forgotten
-- ARGV  1 operation id  2 now, ms  3 '1': the last keys are of a mark; if it is set, and was set
--       after all were forgotten, only the first counter counts, otherwise all but the first.
--       '0': there is no mark, and all count
--       4… for each counter: forgets, ms, and steps
-- Returns {'counted', first, last} (the counters that counted) | {'wait', ms, counter}
local now, first, last = tonumber(ARGV[2]), 1, #KEYS
if ARGV[3] == '1' then
  last = last - 2
  local marked = redis.call('GET', KEYS[#KEYS - 1])
  local forgotten = marked and redis.call('GET', KEYS[#KEYS])
  if marked and not (forgotten and tonumber(marked) < tonumber(forgotten)) then
    last = 1
  else
    first = 2
  end
end

local longest, by, values = 0, 0, {}
for place = first, last do
  local forgets, steps = tonumber(ARGV[2 * place + 2]), ARGV[2 * place + 3]
  if steps ~= '' then
    local value = redis.call('GET', KEYS[place]) or '0 0 '
    local before, at, operation = string.match(value, '^(%S+) (%S+) (%S*)')
    if operation == ARGV[1] then return {'counted', first, last} end
    local ago, delay, most = math.max(0, now - at), 0, 0
    for from, step in string.gmatch(steps, '(%d+):(%d+)') do
      most = tonumber(from)
      if math.ceil(before) >= most then delay = tonumber(step) end
    end
    if delay - ago > longest then longest, by = delay - ago, place end
    local tries = math.min(most, math.max(0, before - ago / forgets) + 1)
    values[place] = {
      string.format('%.6f %.0f %s %s %s', tries, math.max(now, at), ARGV[1], before, at),
      string.format('%.0f', math.ceil(tries * forgets))
    }
  end
end
if longest > 0 then return {'wait', math.ceil(longest), by} end

for place, value in pairs(values) do
  redis.call('SET', KEYS[place], value[1], 'PX', value[2])
end
return {'counted', first, last}
