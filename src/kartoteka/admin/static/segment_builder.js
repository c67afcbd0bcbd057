/* The segment builder. What is clicked or chosen changes the form, one change after the other; what is
   typed only asks for the count, the latest alone. An answer is laid over the form that stands there: a
   field that is there already stays as it is, with its text, its focus and its caret. */
(() => {
  "use strict";
  const form = document.getElementById("segment");
  if (!form) return;
  const WAIT_MS = 250;
  const FIELDS = "input, select, textarea";
  let changes = Promise.resolve();
  let waiting = 0;
  let counting = null;
  let timer = 0;

  class SessionEnded extends Error {}
  const showBusy = () => form.setAttribute("aria-busy", waiting > 0 || counting !== null);

  /* The page that the server makes of the form as it is now, and the fields that it was told */
  async function ask(more, signal, isAgain) {
    const told = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(more)) told.set(name, value);
    const headers = { "HX-Request": "true" };
    const answer = await fetch(form.dataset.build, { method: "POST", body: told, signal, headers });
    const away = answer.headers.get("HX-Redirect");
    if (away) {
      window.session.ended();
      throw new SessionEnded();
    }
    // Signed in anew elsewhere: the token of this page is the old session's.
    if (answer.status === 403 && !isAgain && (await window.session.renew())) return ask(more, signal, true);
    return [new DOMParser().parseFromString(await answer.text(), "text/html"), told];
  }

  /* What is typed */
  function countSoon(wait = WAIT_MS) {
    clearTimeout(timer);
    timer = setTimeout(count, wait);
  }
  async function count() {
    if (waiting) return; // every change asks for the count when it is there
    if (counting) counting.abort();
    const mine = new AbortController();
    counting = mine;
    showBusy();
    try {
      const [page] = await ask({}, mine.signal);
      if (counting === mine) show(page.getElementById("preview") || page.getElementById("ask"));
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof SessionEnded)) show(null);
    }
    if (counting === mine) counting = null;
    showBusy();
  }
  function show(part) {
    const preview = document.getElementById("preview");
    if (part && part.id === "preview") preview.replaceChildren(...part.childNodes);
    else preview.lastElementChild.replaceChildren(part || form.dataset.offline);
  }

  /* What is clicked or chosen */
  function change(word, then = () => {}) {
    clearTimeout(timer);
    if (counting) counting.abort();
    waiting += 1;
    showBusy();
    changes = changes.then(async () => {
      try {
        const [page, told] = await ask({ do: word, only: "form" });
        const fresh = page.getElementById("segment");
        if (fresh) lay(form, fresh, told);
        else show(page.getElementById("ask"));
        if (fresh) then();
      } catch (error) {
        if (!(error instanceof SessionEnded)) show(null);
      }
      waiting -= 1;
      showBusy();
      if (!waiting) countSoon(0);
    });
  }

  /* Places keep their names, so what stays is known by name and nothing ever moves: it comes or goes */
  const nameOf = (one) =>
    one.dataset.part || (one.name ? `${one.name} ${one.matches("button") ? one.value : ""}` : "");
  const isTwin = (one, other) => one.tagName === other.tagName && nameOf(one) === nameOf(other);
  function lay(have, want, told) {
    let at = have.firstElementChild;
    for (const next of Array.from(want.children)) {
      let twin = at;
      while (twin && !isTwin(twin, next)) twin = twin.nextElementSibling;
      if (!twin) {
        have.insertBefore(next, at);
        continue;
      }
      while (at !== twin) at = goesBefore(at);
      at = twin.nextElementSibling;
      settle(twin, next, told);
    }
    while (at) at = goesBefore(at);
  }
  function goesBefore(one) {
    const next = one.nextElementSibling;
    one.remove();
    return next;
  }
  function settle(twin, next, told) {
    if (twin.matches(FIELDS)) {
      if (twin.type === next.type) return;
      // Another kind of field: with what was typed since the question.
      if (twin.value !== told.get(twin.name)) next.value = twin.value;
      const focused = document.activeElement === twin;
      twin.replaceWith(next);
      if (focused) next.focus();
    } else if (twin.matches("details, #preview")) return;
    else if (next.querySelector(`${FIELDS}, details`)) lay(twin, next, told);
    else if (!twin.isEqualNode(next)) twin.replaceWith(next);
  }

  const isFree = () => {
    const at = document.activeElement;
    return !at || at === document.body || at.matches("summary") || at.offsetParent === null;
  };
  function clicked(button) {
    const [action, path] = button.value.split(":");
    const menu = button.closest("details.menu");
    if (menu) for (const one of [menu, ...menu.querySelectorAll("details")]) one.open = false;
    const before = new Set(Array.from(form.querySelectorAll("[data-part]")));
    change(button.value, () => {
      if (!isFree()) return; // whoever went on is left where they are
      const made = Array.from(form.querySelectorAll("[data-part]")).find((one) => !before.has(one));
      const group = action === "remove" ? path.replace(/\.\d+$/, "") : path;
      const there = form.querySelector(`[data-part="${CSS.escape(group)}"] > .row:last-child summary`);
      const to = made ? made.querySelector("select, input:not([type=hidden])") : there;
      if (to) to.focus();
    });
  }

  if (form.querySelector(".condition") && !form.querySelector("#preview .figure")) countSoon(0);
  document.addEventListener("session:back", () => countSoon(0));
  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-changes], [name=name]")) countSoon();
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-changes]")) change("");
  });
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && button.name === "do") {
      event.preventDefault();
      clicked(button);
    } else if (waiting) {
      event.preventDefault();
      changes.then(() => form.requestSubmit(button));
    }
  });
})();
