"""Pinned packages are looked up for advisories; a source that cannot be asked is said, and is no finding."""

import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import advisories
import pytest


@pytest.fixture
def osv(monkeypatch, tmp_path):
    """A server that speaks as OSV does, about the advisories that it is given: name -> ID."""
    known = {"pillow": "GHSA-aaaa-aaaa-aaaa"}

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["package"]["name"]
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]
            vulnerability = {
                "id": known.get(name, ""),
                "aliases": ["CVE-2026-1"],
                "summary": "It falls over.",
                "affected": [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}],
            }
            content = json.dumps({"vulns": [vulnerability]} if name in known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    pins = tmp_path / "pins.txt"
    pins.write_text("numpy==2.0.0\nfsspec==2026.1.0\n")
    monkeypatch.setattr(advisories, "PINS", pins)
    monkeypatch.setattr(advisories, "_SERVICES", ("osv",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield known, ("--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query")
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_an_advisory_against_a_pin_fails_until_it_is_accepted(osv, monkeypatch, tmp_path, capsys):
    known, options = osv
    assert advisories.main(*options) == 0
    assert "2 packages looked up (osv), 0 unknown there, 0 advisories" in capsys.readouterr().out
    known["fsspec"] = "GHSA-bbbb-bbbb-bbbb"
    assert advisories.main(*options) == 1
    assert "fsspec 2026.1.0: CVE-2026-1 GHSA-bbbb-bbbb-bbbb; mended in 99.0: It falls over." in capsys.readouterr().out
    accepted = tmp_path / "accepted.toml"
    accepted.write_text('[CVE-2026-1]\npackage = "fsspec"\nreason = "Not called."\ndate = 2026-11-27\n')
    monkeypatch.setattr(advisories, "ACCEPTED", accepted)
    assert advisories.main(*options) == 0


@pytest.mark.slow
def test_a_source_that_has_no_advisories_at_all_is_skipped_with_a_word(osv, capsys):
    known, options = osv
    known.clear()
    assert advisories.main(*options) == 0
    assert "skipped" in capsys.readouterr().out


@pytest.mark.slow
def test_without_a_network_it_is_skipped_with_a_word(osv, capsys):
    assert advisories.main("--osv-url", "http://127.0.0.1:9/v1/query") == 0
    assert "skipped" in capsys.readouterr().out


@pytest.mark.parametrize("left_out", ["package", "reason", "date"])
def test_what_is_accepted_says_of_what_and_why_and_since_when(left_out):
    whole = {"package": "fsspec", "reason": "Not called.", "date": date(2026, 11, 27)}
    assert advisories.accepted_advisories({"CVE-1": whole}) == {"CVE-1"}
    with pytest.raises(ValueError, match=r"\[CVE-1\] must say"):
        advisories.accepted_advisories({"CVE-1": {name: one for name, one in whole.items() if name != left_out}})
