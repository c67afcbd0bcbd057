/* What pages do beyond HTML: times in the viewer's zone, copying, dialogs, keys, picking rows. Every page
   works without it. No inline script anywhere: the policy of the server forbids it. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.remove("no-script");
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  /* Times */
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  const ticks = {
    clock: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    day: new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "short" }),
  };
  const words = new Intl.RelativeTimeFormat(root.lang || "en", { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  function relative(at) {
    const seconds = (at - Date.now()) / 1000;
    if (Math.abs(seconds) < 45) return root.dataset.justNow;
    if (Math.abs(seconds) > 14 * 86400) return day.format(at);
    for (const [unit, length] of units) {
      if (Math.abs(seconds) >= length) return words.format(Math.round(seconds / length), unit);
    }
    return words.format(Math.round(seconds / 60), "minute");
  }
  function showTimes(from = document) {
    for (const one of all("time[datetime]", from)) {
      const at = new Date(one.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const style = one.dataset.style;
      one.textContent = style === "exact" ? short.format(at) : style === "day" ? day.format(at) : relative(at);
      one.title = exact.format(at);
    }
    divideDays();
    for (const one of all("svg [data-at]", from)) {
      one.textContent = ticks[one.dataset.style].format(new Date(one.dataset.at));
    }
  }

  /* Days of a timeline are the viewer's, wherever a page of it begins */
  function divideDays() {
    for (const feed of all("ol.feed")) {
      const lines = Array.from(feed.children);
      const divider = lines.find((one) => one.matches(".day"));
      if (!divider) continue;
      let last = "";
      for (const one of lines) {
        if (one.matches(".day")) { one.remove(); continue; }
        const time = find("time[datetime]", one);
        const at = time && new Date(time.dateTime);
        if (!at || day.format(at) === last) continue;
        last = day.format(at);
        const head = divider.cloneNode(true);
        const label = find("time", head);
        label.dateTime = time.dateTime;
        label.textContent = last;
        label.title = last;
        feed.insertBefore(head, one);
      }
    }
  }

  /* Copying. Browsers give pages of plain HTTP no clipboard; what is marked there can be copied all the same */
  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "hidden-label";
      button.after(field); // in a dialog nothing outside of it takes the focus
      field.select();
      const isDone = document.execCommand("copy");
      field.remove();
      button.focus();
      return isDone;
    }
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    const from = button.dataset.copy ? find(button.dataset.copy) : null;
    if (!(await copy(from ? from.textContent : button.dataset.value || "", button))) return;
    find("#copied").textContent = root.dataset.copied;
    setTimeout(() => { find("#copied").textContent = ""; }, 1200);
    const use = find("use", button);
    const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#check"));
    setTimeout(() => use.setAttribute("href", before), 1200);
  });

  /* Dialogs: a link to a page that asks opens what it asks here */
  const dialog = find("#dialog");
  let opener = null;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    await openDialog(link.href, link.dataset.dialog);
  });
  async function openDialog(href, style) {
    opener = document.activeElement;
    asking(1);
    let answer;
    try {
      answer = await fetch(href, { headers: { "X-Part": "dialog" } });
    } catch { window.session.warn(); return; } finally { asking(-1); }
    window.session.answers();
    if (answer.redirected || !answer.ok) { location.href = href; return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = find("#ask", page);
    if (!part) { location.href = href; return; }
    dialog.classList.toggle("drawer", style === "drawer");
    dialog.replaceChildren(document.adoptNode(part));
    const title = find("h1, h2", dialog);
    if (title) dialog.setAttribute("aria-label", title.textContent.trim());
    showTimes(dialog);
    if (window.htmx) window.htmx.process(dialog);
    for (const details of all("details.menu[open]")) details.open = false;
    if (!dialog.open) dialog.showModal();
  }
  /* Whoever opened it with the keyboard goes on there; what stood in a menu is behind its button now */
  if (dialog) dialog.addEventListener("close", () => {
    const menu = opener && opener.closest("details.menu");
    const back = menu ? find("summary", menu) : opener;
    if (back && back.isConnected) back.focus();
    opener = null;
  });
  document.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) {
      if (dialog && dialog.open) { event.preventDefault(); dialog.close(); }
    }
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".toast, .notice").remove();
    const hide = event.target.closest("[data-hide]");
    if (hide) find(hide.dataset.hide).hidden = true;
    for (const details of all("details.menu[open]")) {
      if (!details.contains(event.target)) details.open = false;
    }
  });

  /* Picking rows */
  function countPicked(form) {
    const boxes = all("input[name=pick]", form);
    const picked = boxes.filter((one) => one.checked);
    form.classList.toggle("has-picked", picked.length > 0);
    for (const box of boxes) box.closest("tr").setAttribute("aria-selected", box.checked);
    const label = find("[data-picked]", form);
    if (label) label.textContent = label.dataset.picked.replace("#", picked.length.toLocaleString());
    const every = find("input[data-pick-all]", form);
    if (every) {
      every.checked = picked.length > 0 && picked.length === boxes.length;
      every.indeterminate = picked.length > 0 && picked.length < boxes.length;
    }
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-picks]");
    if (form && event.target.matches("[data-pick-all]")) {
      for (const box of all("input[name=pick]", form)) box.checked = event.target.checked;
    }
    if (form) countPicked(form);
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });

  /* Menu on a phone */
  const sidebar = find(".sidebar");
  const menuButton = find(".menu-button");
  /* What has just been shown takes the focus only once the browser has drawn it */
  function focusWhenShown(link, tries = 60) {
    link.focus();
    if (document.activeElement === link || !root.classList.contains("menu-open") || !tries) return;
    requestAnimationFrame(() => focusWhenShown(link, tries - 1));
  }
  function openMenu(isOpen) {
    if (!menuButton || root.classList.contains("menu-open") === isOpen) return;
    root.classList.toggle("menu-open", isOpen);
    menuButton.setAttribute("aria-expanded", isOpen);
    if (isOpen) focusWhenShown(find("a", sidebar));
    else if (sidebar.contains(document.activeElement)) menuButton.focus();
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest(".menu-button")) openMenu(!root.classList.contains("menu-open"));
    else if (!event.target.closest(".sidebar")) openMenu(false);
  });
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest(".sidebar, .menu-button")) openMenu(false);
    for (const details of all("details.menu[open]")) if (!details.contains(event.target)) details.open = false;
  });

  /* Keys */
  let went = 0;
  const typing = (target) => target.matches("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !(dialog && dialog.open)) {
      openMenu(false);
      const details = event.target.closest("details.menu[open]");
      if (details) { details.open = false; find("summary", details).focus(); }
    }
    if (typing(event.target) || (dialog && dialog.open)) return;
    if (event.key === "/") {
      const search = find("[data-search-here]") || find("#search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "g") {
      went = Date.now();
    } else if (Date.now() - went < 1500) {
      const link = find(`.sidebar [data-go="${CSS.escape(event.key)}"]`);
      went = 0;
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === "?") {
      const help = find("[data-shortcuts]");
      if (help) openDialog(help.href, "");
    } else if (event.key === " " && event.target.closest("tr[data-peek]")) {
      event.preventDefault();
      openDialog(event.target.closest("tr[data-peek]").dataset.peek, "drawer");
    } else {
      const link = find(`[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    }
  });
  function step(by) {
    const rows = all("tr[data-peek]");
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement && document.activeElement.closest("tr[data-peek]"));
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    next.tabIndex = 0;
    next.focus();
  }

  /* Dropping files */
  for (const zone of all("[data-drop]")) {
    const input = find("input[type=file]", zone);
    const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", over(false));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.form.requestSubmit();
    });
    input.addEventListener("change", () => input.files.length && input.form.requestSubmit());
  }

  /* A form that is on its way says so, and is not sent twice */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.matches("[hx-post]:not([hx-trigger])")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    if (form.matches("[data-drop]")) form.setAttribute("aria-busy", "true");
    const button = event.submitter || find("button[type=submit], button:not([type])", form);
    if (button) button.setAttribute("aria-busy", "true");
    setTimeout(() => { delete form.dataset.sent; if (button) button.removeAttribute("aria-busy"); }, 8000);
  });

  for (const here of all(".subnav [aria-current], .tabs [aria-current]")) {
    const box = here.parentElement;
    const beyond = here.getBoundingClientRect().right + 24 - box.getBoundingClientRect().right;
    if (beyond > 0) box.scrollLeft += beyond;
  }
  showTimes();
  setInterval(showTimes, 30000);
  for (const form of all("form[data-picks]")) countPicked(form);
  for (const details of all("[data-open-with-script]")) details.open = true;
  document.addEventListener("htmx:afterSettle", (event) => {
    showTimes(event.target.parentElement || document);
    for (const form of all("form[data-picks]")) countPicked(form);
    prepareBoxes();
    sayFound();
  });
  /* What the server says went wrong is shown where the answer would stand; an answer that has no place for it
     leaves the page as it is, and its words are said at the foot */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status < 400) return;
    event.detail.isError = false;
    if (isLive(event.detail)) return;
    const asker = requestConfig.elt.closest("[hx-select]");
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    event.detail.shouldSwap = Boolean(asker && page.querySelector(asker.getAttribute("hx-select")));
    if (event.detail.shouldSwap) return;
    const words = find("#ask p", page);
    window.session.warn(words ? words.textContent : find("#trouble").dataset.failed);
  });
  document.addEventListener("htmx:sendError", () => window.session && window.session.warn());
  document.addEventListener("htmx:timeout", () => window.session && window.session.warn());
  document.addEventListener("htmx:beforeOnLoad", () => window.session && window.session.answers());

  /* A part that was changed in place takes the focus of what stood there before: the field that is wrong, the
     first one to fill in, or what opened it */
  function focusIn(part) {
    const wrong = find('[aria-invalid="true"]', part);
    const to = wrong || find('[aria-current="true"]', part) ||
      find("form input:not([type=hidden]), form select, form textarea", part) || find("header a", part);
    if (to) to.focus({ preventScroll: !wrong });
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    const { target } = event;
    const isAsked = target.id && event.detail.target && target.id === event.detail.target.id;
    if (isAsked && target.id.startsWith("part-") && document.activeElement === document.body) focusIn(target);
  });
  const wrong = find('main [aria-invalid="true"]');
  if (wrong && document.activeElement === document.body) wrong.focus();

  /* A request that takes its time is seen to be under way */
  let under = 0;
  function asking(by) {
    under = Math.max(0, under + by);
    root.classList.toggle("under-way", under > 0);
  }
  document.addEventListener("htmx:beforeSend", (event) => isLive(event.detail) || asking(1));
  document.addEventListener("htmx:afterRequest", (event) => isLive(event.detail) || asking(-1));

  /* A table that scrolls sideways can be scrolled with the keyboard */
  function prepareBoxes() {
    for (const box of all(".table-box")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      if (scrolls === box.hasAttribute("tabindex")) continue;
      for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", root.dataset.table]]) {
        if (scrolls) box.setAttribute(name, value);
        else box.removeAttribute(name);
      }
    }
  }
  prepareBoxes();
  window.addEventListener("resize", prepareBoxes);

  /* A search says how many it found, and does not read out the table */
  function sayFound() {
    const found = find("[data-found], #results .empty h2");
    const said = find("#found");
    if (said && found && said.textContent !== found.innerText.trim()) said.textContent = found.innerText.trim();
  }

  /* Live parts ask again while somebody looks. Only what changed is changed, so that focus, a click under
     way and open menus stay; a server that does not answer leaves what is there, and is asked again. */
  const isLive = (detail) => detail.target.matches("[data-live]") && detail.requestConfig.elt === detail.target;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && isLive(event.detail)) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && window.htmx) for (const one of all("[data-live]")) window.htmx.trigger(one, "look");
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isLive(event.detail)) return;
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status >= 500) return;
    const old = event.detail.target;
    const page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    const fresh = page.getElementById(old.id);
    if (!fresh) return;
    update(old, fresh, true);
    window.htmx.process(old);
    showTimes(old);
  });
  const KEPT = new Set(["open", "aria-busy", "data-sent"]);
  const isSame = (one, other) =>
    one.nodeName === other.nodeName && ["id", "name"].every((key) => (one[key] || "") === (other[key] || ""));
  function update(old, fresh, isRoot) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (!isRoot && fresh.matches("[data-keep]")) return;
    if (old.matches("time") && old.dateTime === fresh.dateTime) return;
    for (const { name } of Array.from(old.attributes)) {
      if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of Array.from(fresh.attributes)) {
      if (old.getAttribute(name) !== value && !KEPT.has(name)) old.setAttribute(name, value);
    }
    const stays = new Set(Array.from(fresh.children, (one) => one.id).filter(Boolean));
    let at = old.firstChild;
    const drop = () => { const next = at.nextSibling; at.remove(); at = next; };
    for (const wanted of Array.from(fresh.childNodes)) {
      while (at && at.id && !stays.has(at.id)) drop();
      if (at && isSame(at, wanted)) { update(at, wanted); at = at.nextSibling; }
      else old.insertBefore(document.adoptNode(wanted), at);
    }
    while (at) drop();
  }
})();
