#!lua flags=allow-oom
-- Ends all sessions of a user, except one to keep, and changes the user's epoch, so that a sign-in
-- whose password was checked before this step is refused after it.
--
-- An end that was carried out is remembered by its id. A repeated request gets the same reply, even
-- if other ends came in between. Carrying it out again would return the epoch to an earlier value.
--
-- KEYS  1 index of the user  2 epoch of the user  3 control stream  4 nodes  5 note of this end
--       6 shard epoch  7 renewals
-- ARGV  1 end id  2 reason  3 sid to keep ('' for none)  4 tombstone TTL, ms, at least
--       5 key prefix of the shard  6 TTL of epoch and note, ms  7… the signed entry of the end
-- Returns {sids ended, separated by spaces, {node, lease end, …}, {node, renewal, …}}
-- include parts/live.lua
-- include parts/end_user.lua

return end_user(7)
