/* What is true, whether or not a node knows it, and what must never happen.
 *
 * Code: tests/simulation/world.py does the same for the running code.
 */

mtype:bound = { not_begun, runs, over };

bool ended;                      /* An end included A, or the sign-in that would have made A. */
bool promised;                   /* A receipt said `complete` or `bounded`. */
mtype:bound bound = not_begun;   /* One lease, measured from A's end. */

#define SERVES_A(n) (socket[n] == greeted && FENCE_IS_OPEN(n))
#define SOMEBODY_SERVES_A (SERVES_A(0) || SERVES_A(1))

/* Called after each step that could break a promise. */
inline look() {
  MUST_NOT_BE(SOMEBODY_SERVES_A && promised, "BROKEN: a node serves A against the receipt\n");
  MUST_NOT_BE(SOMEBODY_SERVES_A && bound == over, "BROKEN: a node serves A a lease after its end\n")
}

/* All proofs that exist now are older than the end. */
inline a_has_ended() {
  ended = true;
  if
  :: bound == not_begun -> bound = runs; grow_old(0); grow_old(1)
  :: else
  fi
}

/* What is older than the end is now older than a lease. */
inline a_lease_passes() {
  bound = over;
  printf("a lease has passed since A's end\n");
  expire_old(0); expire_old(1);
  look()
}

inline grow_old(n) {
  if :: followed[n] == fresh -> followed[n] = old :: else fi;
  if :: asked[n] == fresh -> asked[n] = old :: else fi
}

inline expire_old(n) {
  if :: asked[n] == old -> asked[n] = no_proof :: else fi;
  if :: followed[n] == old -> close_fence(n) :: else fi
}

inline grow_young(n) {
  if :: followed[n] == old -> followed[n] = fresh :: else fi;
  if :: asked[n] == old -> asked[n] = fresh :: else fi
}

inline forget_truth() {
  ended = false; promised = false; bound = not_begun;
  grow_young(0); grow_young(1)
}
