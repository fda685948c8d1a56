/* The receipt of an end: which nodes it waits for, and what it says.
 *
 * There is one receipt at a time, of any end that A did not survive.
 *
 * Code: server/sessions/terminations.py, server/sessions/pending_receipts.py, server/core/receipt.py
 */

bool awaited;
byte receipt_of;     /* The position of its end in the control stream. */
bool waits_for[2];   /* The nodes that were listed, and have neither acknowledged nor left the list. */
bool one_expired;    /* A node has left the list without an acknowledgement. */

/* drop_node.lua. With RECEIPT_OF_SOME, only the choice of nodes follows the store's clock. */
#ifdef RECEIPT_OF_SOME
#define LEASE_IS_OVER(n) (!listed[n] && held[n])
#else
#define LEASE_IS_OVER(n) (!listed[n])
#endif

inline expect_receipt(entry) {
  if
#ifdef RECEIPT_OF_SOME
  :: ended && !awaited && !promised && (listed[0] || listed[1]) ->
#else
  :: ended && !awaited && !promised ->
#endif
    awaited = true; receipt_of = entry;
    waits_for[0] = listed[0]; waits_for[1] = listed[1]
  :: else
  fi
}

inline stop_waiting() {
  awaited = false; receipt_of = 0; waits_for[0] = false; waits_for[1] = false;
  one_expired = false
}

/* acknowledge.lua. An acknowledgement that takes long only makes the receipt later. */
inline acknowledge(n) {
  if
  :: awaited && position[n] <= receipt_of && receipt_of < read_to[n] ->
    waits_for[n] = false; printf("node %d acknowledges\n", n)
  :: else
  fi
}

inline count_as_expired(n) {
  waits_for[n] = false; one_expired = true;
  printf("the receipt does not wait for node %d any more\n", n)
}

/* Both words promise that nobody serves A. */
inline give_receipt() {
  if
  :: one_expired -> printf("the receipt says bounded\n")
  :: else -> printf("the receipt says complete\n")
  fi;
  stop_waiting();
  promised = true;
  look()
}

/* It promises nothing. After it, another receipt can be asked for. */
inline give_up() {
  printf("the receipt says pending\n");
  stop_waiting()
}
