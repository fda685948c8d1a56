/* A model of how sessions end. It is so small that all its states can be explored: two nodes, two
 * sessions, one user.
 *
 * Each option of a process is one step. Any step that is possible may come next. So a node that is
 * slow, paused or cut off needs no step of its own: the steps of others come first.
 *
 * `make model` explores it. README.md maps its parts to the code, and says what is left out.
 */

#define ENDS 2        /* The number of ends in a history, of any kind. */

#if defined(RECEIPT_OF_NOBODY) || defined(RECEIPT_OF_SOME)
#define LISTED_BY_THE_CLOCK
#endif

#ifndef STEP
#define STEP d_step   /* With `atomic`, which is slower, Spin also reports what was never reached. */
#endif

#define MUST_NOT_BE(condition, words) if :: condition -> printf(words); assert(false) :: else fi

#include "store.pml"
#include "node.pml"
#include "receipt.pml"
#include "truth.pml"

active proctype People() {
  do
  :: STEP { sign_in == not_yet -> begin_sign_in() }
  :: STEP { sign_in == under_way -> create_a() }
  :: STEP { record -> create_b() }
  :: STEP { SAVE_ACCEPTS_A -> save_a() }
  od
}

active proctype Ends() {
  do
  :: STEP { tail < ENDS && sign_in == made -> end_a() }
  :: STEP { tail < ENDS -> end_user() }
  :: STEP { tail < ENDS && sign_in == made -> end_others() }
  :: STEP { tail < ENDS -> end_all() }

  :: STEP { waits_for[0] && LEASE_IS_OVER(0) -> count_as_expired(0) }
  :: STEP { waits_for[1] && LEASE_IS_OVER(1) -> count_as_expired(1) }
  :: STEP { awaited && !waits_for[0] && !waits_for[1] -> give_receipt() }
  :: STEP { awaited && tail < ENDS -> give_up() }
  od
}

active proctype Clocks() {
  do
  :: STEP { record && !lapsed -> lapse() }
  :: STEP { record && lapsed -> come_back() }
  :: STEP { bound == runs -> a_lease_passes() }
#ifdef LISTED_BY_THE_CLOCK
  :: STEP { listed[0] || listed[1] -> step_ahead() }
#endif
  od
}

active [2] proctype Node() {
  byte n = _pid - 3;  /* Three processes come before the nodes. */
  do
  :: STEP { !reading[n] && position[n] == tail && followed[n] != fresh -> read_nothing(n) }
  :: STEP { !reading[n] && position[n] < tail -> read_batch(n) }
  :: STEP { !reading[n] && position[n] < tail -> skip_lost_entries(n) }
  :: STEP { reading[n] -> carry_out_batch(n) }

  :: STEP { !held[n] -> lose_contact(n) }
  :: STEP { held[n] && listed[n] && !silent[n] -> find_silent(n) }
  :: STEP { silent[n] && listed[n] -> drop(n) }
  :: STEP { held[n] && followed[n] != no_proof -> open_fence(n) }
#ifdef LISTED_BY_THE_CLOCK
  :: STEP { !held[n] && !listed[n] -> renew(n) }
#endif

  :: STEP { FENCE_IS_OPEN(n) && LOAD_FINDS_A -> serve_request(n) }
  :: STEP { FENCE_IS_OPEN(n) && LOAD_FINDS_A && socket[n] == none -> check(n) }
  :: STEP { socket[n] == checked -> register(n) }
  :: STEP { socket[n] == registered -> check_again(n) }
  od
}
