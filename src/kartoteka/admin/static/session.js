/* A session that ends, or a server that does not answer, while somebody fills in a form: the page stays as it
   is and says so. The sign-in opens in another tab, and afterwards this page goes on with the token of the new
   session. A form with something to fill in asks before it is sent. */
(() => {
  "use strict";
  const notice = document.getElementById("session-ended");
  const trouble = document.getElementById("trouble");
  if (!notice) return;
  const PROBE = "/admin/shortcuts";
  let renewing = null;

  function ended(reason = "ended") {
    for (const one of notice.querySelectorAll("[data-reason]")) one.hidden = one.dataset.reason !== reason;
    notice.hidden = false;
  }
  /* What went wrong, in words: of the server if it said some, else that it does not answer */
  function warn(words = trouble.dataset.offline) {
    trouble.querySelector("span").textContent = words;
    trouble.dataset.is = words === trouble.dataset.offline ? "offline" : "failed";
    trouble.hidden = false;
  }
  function answers() {
    if (trouble.dataset.is === "offline") trouble.hidden = true;
  }
  /* Whether somebody is signed in, in the account of this page, and the server answers; the forms of this page
     get the token of that session */
  async function renew() {
    renewing ||= look().finally(() => { renewing = null; });
    return renewing;
  }
  async function look() {
    let answer;
    try {
      answer = await fetch(PROBE, { headers: { "HX-Request": "true" } });
    } catch { warn(); return false; }
    if (answer.headers.get("HX-Redirect")) { ended(); return false; }
    if (answer.status >= 500) { warn(); return false; }
    answers();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const there = page.getElementById("session-ended");
    if (there && there.dataset.account !== notice.dataset.account) { ended("other"); return false; }
    const fresh = page.querySelector("input[name=csrf]");
    if (fresh) for (const one of document.querySelectorAll("input[name=csrf]")) one.value = fresh.value;
    if (fresh && !notice.hidden) {
      notice.hidden = true;
      document.dispatchEvent(new CustomEvent("session:back"));
    }
    return true;
  }
  window.session = { ended, renew, warn, answers };

  const comesBack = () => { if (!notice.hidden && !document.hidden) renew(); };
  window.addEventListener("focus", comesBack);
  document.addEventListener("visibilitychange", comesBack);

  const keeps = (form) =>
    form.method === "post" && form.matches("form") && form.querySelector("input:not([type=hidden]), select, textarea");
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !keeps(form)) return;
    if (form.dataset.asked === "yes") { form.dataset.asked = ""; return; }
    event.preventDefault();
    const button = event.submitter;
    if (button) button.setAttribute("aria-busy", "true");
    renew().then((isFine) => {
      if (button) button.removeAttribute("aria-busy");
      if (!isFine) return;
      form.dataset.asked = "yes";
      form.requestSubmit(button);
      form.dataset.asked = ""; // where the browser found a field wrong, nothing was sent
    });
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const form = event.detail.elt.closest("form");
    if (!form || !keeps(form) || !event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    event.preventDefault();
    ended();
  });
})();
