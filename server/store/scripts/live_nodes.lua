-- Lists the nodes whose lease has not ended by the store's clock.
--
-- KEYS  1 nodes
-- Returns {node, lease end, …}
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
return redis.call('ZRANGE', KEYS[1], now, '+inf', 'BYSCORE', 'WITHSCORES')
