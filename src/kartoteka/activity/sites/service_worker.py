"""Web push: what a page embeds beside the tracker, and the service worker that shows messages.

Kartoteka sends no messages. Whoever does has a public key (VAPID) and subscribes with it; the tracker
only takes the token that came of it to the visitor (decisions D10).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

SERVICE_WORKER = """\
self.addEventListener("push", function (event) {
  var message = {};
  try { message = event.data.json(); } catch (e) { /* a text */ }
  event.waitUntil(self.registration.showNotification(message.title || "", {
    body: message.body || "", icon: message.icon, data: { url: message.url }
  }));
});
self.addEventListener("notificationclick", function (event) {
  event.notification.close();
  if (event.notification.data.url) event.waitUntil(clients.openWindow(event.notification.data.url));
});
"""

_REGISTRATION = """\
<script>
!function(n,c){n.serviceWorker&&n.serviceWorker.register(c.url,{scope:c.scope}).then(function(r){
return r.pushManager.getSubscription()}).then(function(s){
s&&eS("webpush",s.endpoint,{subscriptionPage:location.href})}).catch(function(){})}(navigator,%s);
</script>"""


def registration(worker: Mapping[str, str]) -> str:
    """Registers the worker and tells the tracker of a subscription that is there."""
    path = worker.get("serviceWorkerPath") or "/"
    name = worker.get("serviceWorkerName") or "service-worker.js"
    where = {
        "url": path.rstrip("/") + "/" + name,
        "scope": worker.get("serviceWorkerScope") or path,
    }
    # As JSON inside of a script: `<` cannot end it.
    text = msgspec.json.encode(where).decode().replace("<", "\\u003c")
    return _REGISTRATION % text
