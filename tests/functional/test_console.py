"""The front page: what this is, in two languages, and nothing of the data."""

from __future__ import annotations

import httpx
from tests.living import Living


def test_the_front_page_speaks_both_languages_and_names_no_dataset(living: Living) -> None:
    english = httpx.get(living.settings.url, headers={"accept-language": "en"})
    chinese = httpx.get(living.settings.url, params={"lang": "zh"})
    assert english.status_code == chinese.status_code == 200
    assert "The records stay here" in english.text and "数据留在本域" in chinese.text
    assert "DEMO" in english.text
    assert "hospital" not in english.text
    assert "default-src 'none'" in english.headers["content-security-policy"]


def test_nothing_outside_is_loaded(living: Living) -> None:
    page = httpx.get(living.settings.url).text
    assert "http://" not in page.replace(living.settings.url, "") and "https://" not in page


def test_the_api_describes_itself_and_errors_have_one_shape(living: Living) -> None:
    described = httpx.get(f"{living.settings.url}/api/v1/openapi.json").json()
    assert {"/api/v1/datasets", "/api/v1/runs", "/api/v1/health"} <= set(described["paths"])
    nowhere = httpx.get(f"{living.settings.url}/api/v1/nowhere")
    assert nowhere.status_code == 404 and set(nowhere.json()) == {"code", "words", "words_zh", "place"}


def test_a_dataset_is_shown_to_who_has_a_token(living: Living) -> None:
    address, token = f"{living.settings.url}/datasets/hospital", living.tokens["researcher"]
    for stranger in (None, ("researcher", "dom_guessed"), ("researcher", "")):
        refused = httpx.get(address, auth=stranger)
        assert refused.status_code == 401 and "los_days" not in refused.text
        assert refused.headers["www-authenticate"].startswith("Basic")
    shown = httpx.get(address, params={"lang": "zh"}, auth=("anybody", token))
    assert shown.status_code == 200 and "los_days" in shown.text and "尚未购买隐私概貌" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "/datasets/hospital" in httpx.get(f"{living.settings.url}/datasets", auth=("anybody", token)).text
    api = httpx.get(f"{living.settings.url}/api/v1/datasets", auth=("researcher", token))
    assert api.status_code == 403, "what a browser keeps opens no API"
