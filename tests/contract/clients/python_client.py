"""Everything that a Python library of the Segment family can say, then its errors as JSON.

`python_client.py segment|rudder BASE KEY WORD [gzip]`, run with the environment that has the clients.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

which, base, key, word, *options = sys.argv[1:]
if which == "segment":
    from segment.analytics.client import Client
else:
    from rudderstack.analytics.client import Client

errors = []
client = Client(
    key,
    host=base,
    on_error=lambda error, batch: errors.append(str(error)),
    gzip="gzip" in options or which == "rudder",
    max_retries=2,
    timeout=60,
)
person = {"user_id": f"{word}-user", "anonymous_id": f"{word}-visitor"}
traits = {
    "email": f"{word}@example.com",
    "phone": "+380501112233",
    "firstName": "Alice",
    "lastName": "Archer",
    "birthday": "1990-05-17",
}
client.page(anonymous_id=f"{word}-visitor", category="Shop", name="Home", properties={"url": "u"})
client.track(anonymous_id=f"{word}-visitor", event="Product Viewed", properties={"sku": "P-1"})
client.identify(**person, traits=traits)
client.track(
    person["user_id"],
    "Order Completed",
    {"total": 12.5, "nested": {"deep": [1, 2]}},
    timestamp=datetime.now(UTC) - timedelta(days=2),
)
client.screen(person["user_id"], name="Cart")
client.group(person["user_id"], f"{word}-group", traits={"name": "Shop & Co"})
client.alias(previous_id=f"{word}-other-visitor", user_id=person["user_id"])
client.flush()
client.join()
print(json.dumps(errors))
