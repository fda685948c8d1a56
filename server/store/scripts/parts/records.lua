-- What stands before every write of a session's record, whoever it belongs to. KEYS begin with the
-- session, its tombstone and its shard's epoch.

-- Returns the reply if the record must not be created, or has been by this operation; else nil.
local function refusal_to_create(operation, expected_epoch)
  local tombstone = redis.call('GET', KEYS[2])
  if tombstone then return {'ended', tombstone} end

  local existing = redis.call('GET', KEYS[1])
  if existing then
    if string.match(existing, '^%d+ (%S+) ') == operation then return {'created'} end
    return {'taken'}
  end

  local epoch = string.match(redis.call('GET', KEYS[3]) or '', '^%S*')
  if epoch ~= expected_epoch then return {'epoch_changed'} end
  return nil
end

-- Returns the reply if the record must not be replaced, or has been by this operation; else nil.
local function refusal_to_save(operation, expected_revision)
  local tombstone = redis.call('GET', KEYS[2])
  if tombstone then return {'ended', tombstone} end

  local value = redis.call('GET', KEYS[1])
  if not value then return {'missing'} end

  local revision, last_operation, epoch = string.match(value, '^(%d+) (%S+) (%S*)\n')
  local ended = redis.call('GET', KEYS[3]) or ''
  if epoch ~= string.match(ended, '^%S*') then return {'ended', ended} end
  if last_operation == operation then return {'saved'} end
  if revision ~= expected_revision then return {'conflict'} end
  return nil
end
