// @ts-check
/** The dialog that counts down before a session ends by time. Every tab is told, so all show it and all drop it. */

/** @param {import('./session.js').LiveSession} session */
export function warnBeforeExpiry(session) {
  const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById('expiring'));
  const clock = document.getElementById('expiring-clock');
  const stay = document.getElementById('stay-active');
  if (!dialog || !clock || !stay) return;

  let endsAt = 0;
  const tick = () => { clock.textContent = countdown(endsAt - Date.now()); };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let ticking;

  session.on('expiring', ({ reason, in_ms }) => {
    endsAt = Date.now() + in_ms;
    stay.hidden = reason !== 'idle_timeout'; // the absolute deadline never moves
    tick();
    clearInterval(ticking);
    ticking = setInterval(tick, 1_000);
    if (!dialog.open) dialog.showModal();
  });
  stay.addEventListener('click', () => session.stayActive());
  dialog.addEventListener('close', () => clearInterval(ticking));
  for (const type of ['extended', 'ended']) session.on(type, () => dialog.close());
}

/**
 * Minutes and seconds, as on a clock: 1:05.
 * @param {number} ms
 */
function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
