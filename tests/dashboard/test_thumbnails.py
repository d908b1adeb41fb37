"""The thumbnails of the wall: small, kept by nobody, made when a browser asks for one."""

import asyncio
import io
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image

from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import write_records
from cxr_core.sources.registry import get_source
from cxr_core.tasks.image_record import image_record, why_no_record
from cxr_core.tasks.images import ImageQuery, images
from dashboard.images.wall_html import Tile, wall_html
from dashboard.shared.image_links import thumbnail_address
from dashboard.thumbnails import thumbnail_routes


def answer(query):
    """What the route answers to the query of an address."""
    (route,) = thumbnail_routes()
    scope = {"type": "http", "method": "GET", "path": route.path, "query_string": query.encode(), "headers": []}
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    asyncio.run(route.app(scope | {"root_path": ""}, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_a_thumbnail_is_the_film_small_and_no_browser_keeps_it(small_demo):
    path = images(ImageQuery("demo", limit=1)).listed[0].path
    before = sorted(small_demo.rglob("*"))
    status, headers, content = answer(thumbnail_address("demo", path).partition("?")[2])
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "image/jpeg", "no-store")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    small = Image.open(io.BytesIO(content))
    whole = Image.open(io.BytesIO(image_record("demo", path).jpg)).resize(small.size)
    assert small.size == (160, 160)
    off = sum(abs(a - b) for a, b in zip(small.tobytes(), whole.tobytes(), strict=True)) / len(whole.tobytes())
    assert off < 6, "of 255 grey values, on the mean"
    assert sorted(small_demo.rglob("*")) == before, "nothing was written"


@pytest.mark.parametrize("query", ["", "source=demo&path=none.jpg", "source=..%2F..&path=%2Fetc%2Fpasswd"])
def test_what_is_not_there_is_not_found(small_demo, query):
    status, headers, content = answer(query)
    assert (status, headers["content-type"].partition(";")[0]) == (404, "text/plain")
    assert content.decode().endswith(".\n") and "root:" not in content.decode()


def test_a_damaged_picture_says_so_in_its_place(own_small_demo):
    (first,) = images(ImageQuery("demo", dataset="valid", view="frontal", limit=1)).listed
    folder = Path(get_source("demo").records.format(dataset="valid", view="frontal").rstrip("*")).parent
    for file in folder.glob("frontal*"):
        file.unlink()
    keys = dict(zip(("patient", "study", "image", "view", "dataset"), (first.patient, 1, 1, 0, 1), strict=True))
    record = Record(jpg=b"\xff\xd8 no picture", labels={}, keys=keys, path=first.path)
    write_records(folder / "frontal-00000-of-00001", [encode(record)])
    assert why_no_record("demo", first.path) == ""
    status, headers, content = answer(urlencode({"source": "demo", "path": first.path}))
    assert (status, headers["content-type"].partition(";")[0]) == (200, "image/svg+xml")
    assert b"No picture: Record 1" in content


def test_texts_of_others_are_no_markup_on_the_wall():
    hostile = """"><script>alert(1)</script>'"""
    drawn = wall_html([Tile(1, hostile, hostile, hostile, hostile), Tile(2, hostile, hostile, "", "")])
    assert "<script" not in drawn and "alert(1)</" not in drawn
    assert drawn.count('<img loading="lazy"') == drawn.count("<img") == 1 and drawn.count("<a ") == 1
