/* What the store holds, and its scripts. A script is one step: nothing happens between its lines.
 *
 * Code: server/store/sessions.py, server/store/scripts
 */

/* Session A: all checks are about it. */
mtype:sign_in = { not_yet, under_way, made };

mtype:sign_in sign_in = not_yet;
bool record;          /* The record exists. A tombstone only gives the reason, so there is none. */
bool indexed;         /* The user's index contains A. */
bool lapsed;          /* A deadline has passed, by the store's clock and by the timeouts now. */
/* No epoch ever returns. So it is enough to know whether an epoch is still the one that A's sign-in
 * has read. */
bool same_user_epoch;
bool same_shard_epoch;

/* Session B of the same user does things to A, but A depends on nothing that B is. */

/* The list of nodes. */
bool listed[2] = true;

/* The control stream: whether each end may be one of A, and how many ends there are. */
bool concerns_a[ENDS];
byte tail;

/* RedisSessionStore.load. The policy does not serve a session that lapsed (policy.py). */
#ifdef NO_EPOCH_AT_LOAD
#define LOAD_FINDS_A (record && !lapsed)
#else
#define LOAD_FINDS_A (record && !lapsed && same_shard_epoch)
#endif

/* save.lua. It compares no deadline: a request that loaded A in time may write late. */
#ifdef NO_EPOCH_AT_SAVE
#define SAVE_ACCEPTS_A record
#else
#define SAVE_ACCEPTS_A (record && same_shard_epoch)
#endif

/* create.lua compares both epochs with those that the sign-in has read. */
#ifdef NO_EPOCH_AT_SIGN_IN
#define CREATE_ACCEPTS_A true
#else
#define CREATE_ACCEPTS_A (same_user_epoch && same_shard_epoch)
#endif

/* A deleted record leaves nothing behind. This keeps the number of states small. */
inline forget_record() {
  record = false; indexed = false; lapsed = false;
  same_user_epoch = false; same_shard_epoch = false
}

/* SessionManager.epochs, called before the password is checked. */
inline begin_sign_in() {
  sign_in = under_way; same_user_epoch = true; same_shard_epoch = true;
  printf("A's sign-in reads the epochs\n")
}

/* create.lua. After a refusal, the next sign-in makes another session, so everything starts again. */
inline create_a() {
  if
  :: CREATE_ACCEPTS_A ->
    sign_in = made; record = true; indexed = true;
    same_user_epoch = false;  /* Nothing compares it after the sign-in. */
    printf("A is created\n")
  :: else ->
    sign_in = not_yet; forget_record(); forget_truth(); stop_waiting();
    printf("A's sign-in is refused, because an epoch has changed\n")
  fi
}

/* create.lua, for B. A session stays in the index as long as its record could be served. */
inline create_b() {
  printf("B signs in\n");
  if
#ifdef INDEX_ONLY_ENDS
  :: indexed && lapsed ->
#else
  :: indexed && !same_shard_epoch ->
#endif
    indexed = false; printf("A is removed from the index\n")
  :: else
  fi
}

/* save.lua, for activity: the deadline moves, and its score in the index. */
inline save_a() {
  lapsed = false; indexed = true;
  printf("a write to A is accepted\n");
  MUST_NOT_BE(ended, "BROKEN: A is written after its end\n")
}

/* Time passes, or the store's clock is set ahead. */
inline lapse() {
  lapsed = true;
  printf("A lapses\n")
}

inline come_back() {
  lapsed = false;
  printf("A has not lapsed any more: the clock was set back, or the timeouts are longer\n")
}

/* The script that ends sessions also appends to the control stream and reads the list of nodes. */
inline append(may_include_a) {
  concerns_a[tail] = may_include_a;
  expect_receipt(tail);
  tail++
}

/* end_session.lua. A session that a load finds lapsed ends like this, too (verdicts.py). */
inline end_a() {
  printf("A is ended\n");
  forget_record();
  a_has_ended();
  append(true)
}

/* end_user.lua, for all sessions or all but B: it deletes the records that the index contains, and
 * changes the user's epoch for sign-ins that are under way. */
inline end_user() {
  printf("all sessions of the user are ended\n");
  if
  :: indexed -> forget_record()
  :: else -> same_user_epoch = false
  fi;
  if
  :: sign_in != not_yet -> a_has_ended()
  :: else
  fi;
  append(true)
}

/* end_user.lua, for all sessions but A. */
inline end_others() {
  printf("all sessions of the user but A are ended\n");
  append(false)
}

/* end_shard.lua: it changes the shard's epoch, and deletes nothing. */
inline end_all() {
  printf("everybody's sessions are ended\n");
  same_shard_epoch = false;
  if
  :: sign_in != not_yet -> a_has_ended()
  :: else
  fi;
  append(true)
}

#ifdef LISTED_BY_THE_CLOCK
/* The scripts of ends list only nodes whose leases are not over by the store's clock. */
inline step_ahead() {
  listed[0] = false; listed[1] = false;
  printf("the store's clock is set ahead: all leases seem to be over\n")
}

/* lease.py, renew_lease.lua */
inline renew(n) {
  listed[n] = true;
  printf("node %d renews its lease\n", n)
}
#endif
