-- What stands before every write of a session's record, whoever it belongs to.

-- Returns the reply if the record must not be created, or has been by this operation; else nil.
-- KEYS begin with the session, its tombstone and its shard's epoch.
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
-- `ended` is what the shard's epoch says.
local function refusal_to_save(session, tombstone, ended, operation, expected_revision)
  local end_of_session = redis.call('GET', tombstone)
  if end_of_session then return {'ended', end_of_session} end

  local value = redis.call('GET', session)
  if not value then return {'missing'} end

  local revision, last_operation, epoch = string.match(value, '^(%d+) (%S+) (%S*)\n')
  if epoch ~= string.match(ended, '^%S*') then return {'ended', ended} end
  if last_operation == operation then return {'saved'} end
  if revision ~= expected_revision then return {'conflict'} end
  return nil
end
