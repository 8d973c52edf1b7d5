"""The files of the page as the server sends them, and what a browser may load with them."""

from __future__ import annotations

import html
import json
from importlib import resources

from vla_ros.dashboard.document import Document
from vla_ros.language.grammar import load_grammar

CONTENT_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-src 'self' http://localhost:* http://127.0.0.1:*; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
SCENE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; worker-src 'self' blob:; "
    "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
)
"""Content-Security-Policy: load from this server and nowhere else. viser's page is one file with inline scripts."""

VISER_STYLE = b"<style>.mantine-Paper-root, .mantine-Notifications-root { display: none !important }</style>"
"""Hides viser's control panel and notifications."""
CONTROLS_MARK = "<!-- controls -->"
"""Stands before and after the controls of stop.html."""
READ_ONLY_TEXT = "<p>read-only: use the robot's own e-stop</p>"


class PageFiles:
    """All files, read once.

    Args:
        namespace: of the arm, which the pages show; empty: the only arm.
        read_only: the stop page has no button.
    """

    def __init__(self, namespace: str, read_only: bool) -> None:
        folder = resources.files("vla_ros.dashboard") / "page"
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        for name in ("index.html", "stop.html"):
            self._files[name] = self._files[name].replace(b"{namespace}", html.escape(namespace).encode())
        self._files["index.html"] = self._files["index.html"].replace(b"{words}", word_list().encode())
        self._stop = self._files.pop("stop.html").decode()
        if read_only:
            before, _, after = self._stop.split(CONTROLS_MARK)
            self._stop = f"{before}{READ_ONLY_TEXT}{after}"
        viser = (resources.files("viser") / "client" / "build" / "index.html").read_bytes()
        self.scene = viser.replace(b"</head>", VISER_STYLE + b"</head>", 1)

    def find(self, name: str) -> tuple[bytes, str] | None:
        """Return content and content type of a file; None when there is no such file."""
        content_type, content = CONTENT_TYPES.get(name.rpartition(".")[2]), self._files.get(name)
        return None if content_type is None or content is None else (content, content_type)

    def stop_page(self, document: Document | None, message: str) -> bytes:
        """Return the stop page, which works without JavaScript.

        Args:
            document: newest one, with the state of the safety filter. message: result of the last press; empty: none.
        """
        status = json.loads(document.text)["filter"] if document is not None else None
        state = "the safety filter is silent" if status is None else f"{status['state']} {status['reason']}"
        text = self._stop.replace("{state}", html.escape(state)).replace("{message}", html.escape(message))
        return text.encode()


def word_list() -> str:
    """Return the words of instructions as rows of a definition list."""
    rows = []
    for title, names in load_grammar("en").for_people().items():
        rows.append(f"<dt>{html.escape(title)}</dt>")
        rows += [f"<dd>{html.escape(f'{name}: {words}')}</dd>" for name, words in names.items()]
    return "".join(rows)


def error_page(reason: str) -> bytes:
    """Return a page that shows why a request was refused."""
    return f"<!doctype html><title>vla_ros</title><h1>{html.escape(reason)}</h1>".encode()
