"""Websites of an account and the script they embed (wire 9.1, 9.5, X6)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

TRACKER = Path(__file__).parents[2] / "tracker"


@pytest.fixture(autouse=True)
def _without_sites(api: httpx.Client) -> Iterator[None]:
    yield
    for site in api.get("/api/v1/site/domains").json():
        api.delete("/api/v1/site/domains", params={"domain": site["domain"]})


def register(api: httpx.Client, domain: str) -> httpx.Response:
    return api.post("/api/v1/site/domains", json={"domain": domain})


@pytest.mark.parametrize(
    ("given", "domain"),
    [
        ("shop.example", "shop.example"),
        ("https://www.Shop.example:8443/blog?x=1", "shop.example"),
        (" shop.example. ", "shop.example"),
        ("магазин.укр", "xn--80aairftm.xn--j1amh"),
        ("http://localhost:8888/wordpress", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
    ],
)
def test_a_domain_is_read_out_of_what_plugins_send(
    api: httpx.Client, given: str, domain: str
) -> None:
    """New: 201; known: 200 with the same siteId, so that every plug-in goes on."""
    first = register(api, given)
    assert (first.status_code, first.json()["domain"]) == (201, domain)
    again = register(api, domain)
    assert (again.status_code, again.json()["siteId"]) == (200, first.json()["siteId"])
    assert re.fullmatch("[0-9a-f]{32}", first.json()["siteId"])
    answer = api.get("/api/v1/site/domains")
    assert answer.headers["TotalCount"] == "1"  # D23
    assert answer.json() == [{"domain": domain, "siteId": first.json()["siteId"]}]


@pytest.mark.parametrize(
    "given", ["", "shop", "a b.example", "-a.example", "a..example", "1.2.3", "x" * 300, 7, None, [],
              "https://user@shop.example", "shop.example:99999", "https://"]
)  # fmt: skip
def test_what_is_no_domain_is_refused(api: httpx.Client, given: Any) -> None:
    answer = api.post("/api/v1/site/domains", json={"domain": given})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_domain")


def test_the_snippet_needs_a_domain_first(api: httpx.Client) -> None:
    refused = api.get("/api/v1/site/script")
    assert (refused.status_code, refused.json()["code"]) == (400, "no_domain")
    key = register(api, "shop.example").json()["siteId"]
    other = register(api, "other.example").json()["siteId"]
    answer = api.get("/api/v1/site/script", headers={"Host": "kartoteka.example"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("<script>")
    assert f'"//kartoteka.example/scripts/{key}.js"' in answer.text
    assert f"/scripts/{other}.js" in api.get("/api/v1/site/script?domain=other.example").text
    assert api.get("/api/v1/site/script?domain=third.example").status_code == 400


def test_the_script_is_small_and_kept_by_browsers(
    api: httpx.Client, stranger: httpx.Client
) -> None:
    """Under 3 kB gzipped, under 300 lines; published files are delivered as they are."""
    key = register(api, "shop.example").json()["siteId"]
    answer = stranger.get(f"/scripts/{key}.js", headers={"Origin": "https://shop.example"})
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "max-age=" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    settings, _, script = answer.text.partition("\n")
    assert script == (TRACKER / "v1.js").read_text("utf-8")
    assert f'"siteId":"{key}"' in settings
    assert len(gzip.compress(answer.content, 9)) < 3_000
    assert len(answer.text.splitlines()) < 300
    tag = {"If-None-Match": answer.headers["etag"]}
    unchanged = stranger.get(f"/scripts/{key}.js", headers=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = stranger.head(f"/scripts/{key}.js")
    assert (head.status_code, head.headers["etag"]) == (200, answer.headers["etag"])


@pytest.mark.parametrize(
    "name", ["0" * 32 + ".js", "x.js", "..js", ".js", "%00.js", "a" * 99 + ".js"]
)
def test_an_unknown_key_has_no_script(stranger: httpx.Client, name: str) -> None:
    assert stranger.get(f"/scripts/{name}").status_code == 404


def test_a_forgotten_website_is_forgotten(api: httpx.Client, stranger: httpx.Client) -> None:
    key = register(api, "shop.example").json()["siteId"]
    assert stranger.get(f"/scripts/{key}.js").status_code == 200
    assert api.delete("/api/v1/site/domains?domain=www.shop.example").status_code == 200
    assert stranger.get(f"/scripts/{key}.js").status_code == 404
    assert api.delete("/api/v1/site/domains?domain=shop.example").status_code == 404


def test_web_push_as_the_plugins_set_it_up(api: httpx.Client) -> None:
    """Both read `script`; WooCommerce writes `serviceWorker` to a file (clients, wire 9.5)."""
    worker = {
        "serviceWorkerName": "push-yespo-sw.js",
        "serviceWorkerPath": "/wp-content/uploads/yespo-cdp/",
        "serviceWorkerScope": "/wp-content/uploads/yespo-cdp/",
    }
    body = {"domains": [{"domain": "https://shop.example", **worker}]}
    answer = api.post("/api/v1/site/webpush/domains", json=body)
    assert answer.json()["success"] == {"domain": "shop.example", "status": "ok"}
    assert api.post("/api/v1/site/webpush/domain", json=body["domains"][0]).status_code == 200
    listed = api.get("/api/v1/site/webpush/domains").json()
    assert listed == [{"domain": "shop.example", **worker}]
    script = api.get(
        "/api/v1/site/webpush/script", params={"domain": "https://shop.example"}
    ).json()
    assert '"url":"/wp-content/uploads/yespo-cdp/push-yespo-sw.js"' in script["script"]
    assert "showNotification" in script["serviceWorker"]
    assert api.delete("/api/v1/site/webpush/domains?domain=shop.example").status_code == 200
    assert api.get("/api/v1/site/webpush/domains").json() == []
    assert api.get("/api/v1/site/webpush/script?domain=shop.example").status_code == 400
    assert api.get("/api/v1/site/domains").json() != []


def test_a_service_worker_cannot_end_the_script_it_is_named_in(api: httpx.Client) -> None:
    body = {"domain": "shop.example", "serviceWorkerName": "</script><script>alert(1)</script>"}
    api.post("/api/v1/site/webpush/domain", json=body)
    script = api.get("/api/v1/site/webpush/script?domain=shop.example").json()["script"]
    assert script.count("</script>") == 2
    wrong = {"domain": "shop.example", "serviceWorkerPath": 7}
    assert api.post("/api/v1/site/webpush/domain", json=wrong).status_code == 400
