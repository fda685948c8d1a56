-- Lists the nodes, whatever the store's clock says about their leases.
--
-- KEYS  1 nodes  2 renewals
-- Returns {{node, lease end, …}, {node, renewal, …}}
return {redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[2])}
