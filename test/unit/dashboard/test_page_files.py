"""The files of the page."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from test.unit.dashboard.rig import document
from vla_ros.dashboard.page_files import PageFiles, error_page

PAGE = resources.files("vla_ros.dashboard") / "page"


def test_each_file_that_a_page_names_is_there() -> None:
    files = PageFiles("", read_only=False)
    texts = [file.read_text() for file in PAGE.iterdir() if file.name.endswith((".html", ".js"))]
    named = {name for text in texts for name in re.findall(r'(?:src|href|from)=? ?"(?:\./)?([\w.]+\.\w+)"', text)}
    assert {"main.js", "server_api.js", "style.css", "stop.css", "icon.svg"} <= named
    for name in named:
        found = files.find(name)
        assert found is not None and found[0], name


@pytest.mark.parametrize("name", ["stop.html", "scene", "../server.py", ""])
def test_what_is_no_file_of_the_page_is_not_found(name: str) -> None:
    assert PageFiles("", read_only=False).find(name) is None


def test_texts_are_shown_as_text_and_never_as_html() -> None:
    files = PageFiles("/<i>", read_only=False)
    page = files.stop_page(document(1), "<script>")
    assert b"HOLDING &lt;b&gt;" in page and b"&lt;script&gt;" in page and b"/&lt;i&gt;" in page
    assert b"{" not in page
    assert b"<b>" not in error_page("<b>")


def test_the_page_lists_the_words_of_instructions() -> None:
    found = PageFiles("", read_only=False).find("index.html")
    assert found is not None and b"<dd>cube: cube, block" in found[0] and b"{words}" not in found[0]


def test_without_a_document_the_filter_is_silent() -> None:
    assert b"the safety filter is silent" in PageFiles("", read_only=False).stop_page(None, "")


def test_a_read_only_stop_page_has_no_button() -> None:
    page = PageFiles("", read_only=True).stop_page(None, "")
    assert b"<button" not in page and b"use the robot's own e-stop" in page
