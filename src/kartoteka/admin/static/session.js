/* A session that ends while somebody fills in a form: the page stays as it is and says so, the sign-in opens
   in another tab, and afterwards this page goes on with the token of the new session. Forms with data-keeps
   ask before they are sent. */
(() => {
  "use strict";
  const notice = document.getElementById("session-ended");
  if (!notice) return;
  const PROBE = "/admin/shortcuts";
  let renewing = null;

  function ended() {
    notice.hidden = false;
  }
  /* Whether somebody is signed in; the forms of this page get the token of that session */
  async function renew() {
    renewing ||= look().finally(() => { renewing = null; });
    return renewing;
  }
  async function look() {
    const answer = await fetch(PROBE, { headers: { "HX-Request": "true" } });
    if (answer.headers.get("HX-Redirect")) { ended(); return false; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("input[name=csrf]");
    if (fresh) for (const one of document.querySelectorAll("input[name=csrf]")) one.value = fresh.value;
    if (fresh && !notice.hidden) {
      notice.hidden = true;
      document.dispatchEvent(new CustomEvent("session:back"));
    }
    return true;
  }
  window.session = { ended, renew };

  const comesBack = () => { if (!notice.hidden && !document.hidden) renew().catch(() => {}); };
  window.addEventListener("focus", comesBack);
  document.addEventListener("visibilitychange", comesBack);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-keeps]")) return;
    if (form.dataset.keeps === "asked") { form.dataset.keeps = ""; return; }
    event.preventDefault();
    const button = event.submitter;
    const send = () => { form.dataset.keeps = "asked"; form.requestSubmit(button); };
    renew().then((isSignedIn) => isSignedIn && send(), send);
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (!event.detail.elt.closest("form[data-keeps]")) return;
    if (!event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    event.preventDefault();
    ended();
  });
})();
