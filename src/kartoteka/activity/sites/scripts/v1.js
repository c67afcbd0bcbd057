/* Kartoteka's tracker, version 1. A published version is never edited: the next is v2.js. */
(function (w, d, n) {
  "use strict";
  var config = w._esConfig || {}, old = w.eS || {}, script = d.currentScript;
  if (!script || !w.fetch || old.version) return;

  var url = script.src.split("/scripts/")[0] + "/api/v2";
  var STATE = "esState", QUEUE = "esQueue", MOST = 100, BYTES = 6e4;
  var state = {}, queue = [], done = {}, pause = 1e3, follows = 1;
  var id, kept, timer, busy, seen;

  function load(key) {
    try {
      var found = JSON.parse(localStorage.getItem(key));
      return typeof found == "object" && found;
    } catch (e) { /* blocked */ }
  }

  function store(key, value) {
    try {
      if (value) localStorage.setItem(key, JSON.stringify(value));
      else localStorage.removeItem(key);
    } catch (e) { /* blocked */ }
  }

  function cookie() {
    try { return (/(?:^|; )sc=([^;]+)/.exec(d.cookie) || [])[1]; } catch (e) { /* blocked */ }
  }

  function bake(value, seconds) {
    var text = "sc=" + value + ";path=/;SameSite=Lax;max-age=" + seconds;
    if (location.protocol == "https:") text += ";Secure";
    try {
      d.cookie = text + ";domain=" + config.domain;
      if (cookie() != value) d.cookie = text;
    } catch (e) { /* blocked */ }
  }

  function uuid() {
    var bytes = crypto.getRandomValues(new Uint8Array(16)), text = "", i;
    bytes[6] = bytes[6] & 15 | 64;
    bytes[8] = bytes[8] & 63 | 128;
    for (i = 0; i < 16; i++) {
      text += (/^(4|6|8|10)$/.test(i) ? "-" : "") + (bytes[i] + 256).toString(16).slice(1);
    }
    return text.toUpperCase();
  }

  // The cookie, or its stored copy; 13 months from every page.
  function remember() {
    state = load(STATE) || state;
    state.customerId = id = cookie() || state.customerId || uuid();
    bake(id, 34128e3);
    store(STATE, state);
    kept = cookie() == id || (load(STATE) || {}).customerId == id;
  }

  // Identifiers stay until logout; another person's replace them all.
  function know(info) {
    var known = state.who || {}, who = {}, other, name;
    "externalCustomerId,user_email,user_phone,user_es_contact_id,signature".split(",").forEach(function (name) {
      var value = info && info[name];
      if (value != null && value !== "") {
        who[name] = "" + value;
        other = other || known[name] && known[name] != value;
      }
    });
    for (name in known) if (!other && !who[name]) who[name] = known[name];
    state.who = who;
    store(STATE, state);
  }

  function copy(from, to) {
    for (var name in from) if (!(name in to)) to[name] = from[name];
    return to;
  }

  function send(name, payload) {
    payload = payload || {};
    remember();
    know(payload.GeneralInfo);
    know(payload.CustomerData);
    if (name == "PageView") seen = place();
    push(copy(payload, {
      GeneralInfo: copy(payload.GeneralInfo, copy(state.who, {
        eventName: name, siteId: config.siteId, datetime: Date.now(), cookies: { sc: id }
      })),
      Page: { url: location.href, title: d.title, referrer: d.referrer }
    }));
  }

  function push(message) {
    if (!kept) return; // every page would be another visitor
    message.messageId = uuid();
    queue.push(JSON.parse(JSON.stringify(message))); // as it is now
    save();
    later(queue.length < 20 ? pause : 0);
  }

  function stored() {
    return [].concat(load(QUEUE)).filter(function (one) { return one && one.messageId; });
  }

  // Tabs share it: a message that comes twice counts once.
  function save() {
    var known = {}, all = stored().concat(queue).filter(function (one) {
      var key = one.messageId;
      return !done[key] && !known[key] && (known[key] = 1);
    });
    queue = queue.slice(-MOST);
    store(QUEUE, all[0] && all.slice(-MOST));
  }

  function later(ms) {
    if (!ms) timer = clearTimeout(timer);
    timer = timer || setTimeout(function () { timer = 0; flush(); }, ms);
  }

  function finish(batch) {
    batch.forEach(function (one) { done[one.messageId] = 1; });
    queue = queue.filter(function (one) { return !done[one.messageId]; });
    save();
  }

  // One batch at a time; a page that is left repeats the one on its way.
  function flush(leaving) {
    var bytes = 0, batch = queue.filter(function (one) {
      bytes += JSON.stringify(one).length * 2;
      return bytes < BYTES;
    });
    if (!batch[0]) batch = queue.slice(0, 1);
    if (!batch[0] || n.onLine === false || (busy && !leaving)) return;
    var body = JSON.stringify({ sentAt: Date.now(), batch: batch });
    if (leaving) {
      if (n.sendBeacon && n.sendBeacon(url, body)) finish(batch);
      return;
    }
    busy = 1;
    // As plain text it needs no preflight.
    fetch(url, { method: "POST", body: body, credentials: "omit", keepalive: bytes < BYTES }).then(function (answer) {
      return answer.ok ? answer.text() : "retry";
    }).then(function (text) {
      if (/retry/.test(text)) throw 0;
      finish(batch);
      pause = 1e3;
    }).catch(function () {
      pause = Math.min(pause * 2, 3e5);
    }).then(function () {
      busy = 0;
      if (queue[0]) later(pause);
    });
  }

  function view() {
    send("PageView", { PageView: {} });
  }

  function place() {
    return location.href.split(/#(?![!/])/)[0];
  }

  function moved() { // the title follows the address
    setTimeout(function () { if (follows && place() != seen) safely(view); }, 50);
  }

  function safely(what, given) {
    try { what.apply(null, given || []); } catch (e) { /* silently */ }
  }

  var commands = {
    init: function (options) { follows = !options || options.TRACKING !== false; },
    sendEvent: send,
    sendEventWithTags: send,
    webcontact: function (info) {
      remember();
      know(copy(info, { user_email: info.email, user_phone: info.phone }));
      push(copy(info, { webId: id, orgId: config.orgId, datetime: Date.now() }));
    },
    webpush: function (token, details) { send("WebPush", { WebPush: copy(details, { token: token }) }); },
    logout: function () {
      remember();
      state.who = {};
      store(STATE, state);
      send("logout");
      later(0);
    }
  };

  function eS(name) {
    safely(commands[name], [].slice.call(arguments, 1));
  }
  eS.version = 1;
  w.eS = eS;

  if (config.respect && (n.globalPrivacyControl || n.doNotTrack == 1 || w.doNotTrack == 1)) {
    commands = {};
    if (cookie()) bake("", 0);
    store(STATE);
    store(QUEUE);
    return;
  }

  function start() {
    var calls = old.q || [];
    queue = stored(); // what an earlier page could not send
    if (!calls.some(function (given) { return given[1] == "PageView"; })) view();
    seen = place();
    calls.forEach(function (given) { eS.apply(null, given); });
  }

  var pushState = history.pushState;
  history.pushState = function () {
    var result = pushState.apply(this, arguments);
    moved();
    return result;
  };
  w.addEventListener("popstate", moved);
  w.addEventListener("online", function () { later(0); });
  w.addEventListener("pageshow", function (event) { if (event.persisted) safely(view); });
  w.addEventListener("pagehide", function () { safely(flush, [1]); });
  d.addEventListener("visibilitychange", function () { if (d.hidden) safely(flush, [1]); });
  if (d.prerendering) d.addEventListener("prerenderingchange", function () { safely(start); });
  else safely(start);
})(window, document, navigator);
