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
