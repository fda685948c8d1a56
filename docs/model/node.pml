/* A node: its proofs, its fence, its position in the control stream, and one socket of session A.
 *
 * Code: server/realtime
 */

/* A proof is as old as its question: asked before A's end, or not. */
mtype:proof = { no_proof, old, fresh };
mtype:socket = { none, checked, registered, greeted };

bool silent[2];                    /* Somebody is about to drop the node from the list. */
bool held[2];                      /* The fence is closed. If it is open, the node is listed. */
mtype:proof followed[2] = fresh;   /* The proof that the control stream was read to its end. */
byte position[2];                  /* The number of entries that have been carried out. */
bool reading[2];                   /* A batch has been read, but not yet carried out ... */
byte read_to[2];                   /* ... up to this position ... */
mtype:proof asked[2] = no_proof;   /* ... by a question of this age. */
mtype:socket socket[2] = none;

#ifdef NO_LEASE
#define FENCE_IS_OPEN(n) true
#else
#define FENCE_IS_OPEN(n) (!held[n])
#endif

/* fence.py: a proof has expired. Answers to earlier questions prove nothing from now on. */
inline close_fence(n) {
  held[n] = true; followed[n] = no_proof; asked[n] = no_proof
}

/* The node is cut off, paused or too slow. */
inline lose_contact(n) {
  close_fence(n);
  printf("node %d has had no proof for a lease\n", n)
}

/* pending_receipts.py, lease.py: somebody has seen the node's entry unchanged for a whole lease, on a
 * clock that is never set. So the fence is closed, at this moment. */
inline find_silent(n) {
  silent[n] = true;
  printf("node %d is found silent\n", n)
}

/* drop_node.lua: whoever found it silent drops it some time later, if its entry is still the same. */
inline drop(n) {
  listed[n] = false; silent[n] = false;
  printf("node %d is dropped from the list\n", n)
}

/* reconciler.py: close the sockets of a session that the store does not serve. */
inline compare(n) {
  if
  :: !LOAD_FINDS_A && (socket[n] == registered || socket[n] == greeted) ->
    socket[n] = none; printf("node %d closes its socket of A\n", n)
  :: else
  fi
}

/* fence.py, lease.py: the node has both proofs from after the fence closed, then compares, and only
 * then opens the fence. An end between these acts has the same effect as one right after them. */
inline open_fence(n) {
  printf("node %d serves again\n", n);
  listed[n] = true;
#ifndef DROP_WITHOUT_COMPARISON
  silent[n] = false;  /* The renewal has changed its entry. */
#endif
#ifndef NO_COMPARISON_AFTER_HOLD
  compare(n);
#endif
  held[n] = false;
  look()
}

/* follower.py: the stream has no new entries, which is a proof. */
inline read_nothing(n) {
  followed[n] = fresh
}

inline read_batch(n) {
  reading[n] = true; read_to[n] = tail; asked[n] = fresh;
  printf("node %d reads the control stream\n", n);
#ifdef EARLY_ACKNOWLEDGEMENT
  acknowledge(n)
#endif
}

/* dispatch.py, ended_sessions.py: close sockets, then acknowledge, then move the position. */
inline carry_out_batch(n) {
  if
  :: (concerns_a[0] && position[n] == 0) || (concerns_a[1] && read_to[n] == 2) -> compare(n)
  :: else
  fi;
#ifndef EARLY_ACKNOWLEDGEMENT
  acknowledge(n);
#endif
  position[n] = read_to[n]; followed[n] = asked[n];
  reading[n] = false; read_to[n] = 0; asked[n] = no_proof;
  look()
}

/* follower.py: entries were trimmed before the node has read them. It moves to the end of the stream
 * and compares. It has nothing to acknowledge. */
inline skip_lost_entries(n) {
  printf("node %d has lost entries of the control stream\n", n);
#ifndef NO_COMPARISON_AFTER_LOSS
  compare(n);
#endif
  position[n] = tail; followed[n] = fresh
}

inline serve_request(n) {
  printf("node %d serves a request of A\n", n);
  MUST_NOT_BE(ended, "BROKEN: a request of A is served after its end\n")
}

/* socket.py: check, register, check again, hello. */
inline check(n) {
  socket[n] = checked;
  printf("node %d checks A for a new socket\n", n)
}

inline register(n) {
  if
  :: FENCE_IS_OPEN(n) -> socket[n] = registered; printf("node %d registers the socket\n", n)
  :: else -> socket[n] = none
  fi
}

inline check_again(n) {
  if
#ifdef NO_SECOND_CHECK
  :: true ->
#else
  :: LOAD_FINDS_A ->
#endif
    socket[n] = greeted; printf("node %d says hello\n", n)
  :: else -> socket[n] = none
  fi;
  look()
}
