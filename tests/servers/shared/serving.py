"""What the Python servers have in common: where they listen, where their data is, when they end.

PORT            the port on loopback; a free one without it
DATA            a folder that outlives the server; without it a temporary one that does not
ACCESS_LIFE_S   how many seconds an access token is valid

A server prints `listening on ADDRESS` and ends when its standard input does, and so with the program
that has started it.
"""

import atexit
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

EMAIL = "ann@example.com"
PASSWORD = "correct-horse"
PORT = int(os.environ.get("PORT", "0"))
# Only for tests on loopback. It stays the same, so that tokens outlive a restart of the server.
SECRET = "only-for-tests-on-loopback-and-known-to-everybody"


def access_life(otherwise=300):
    """How many seconds an access token is valid."""
    return int(os.environ.get("ACCESS_LIFE_S", otherwise))


def data_folder():
    """The folder for the database."""
    if "DATA" in os.environ:
        folder = Path(os.environ["DATA"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    folder = tempfile.mkdtemp(prefix="vestibule-server-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def announce(port):
    """Prints the address. The first line on standard output is this one."""
    print(f"listening on http://127.0.0.1:{port}", flush=True)


def until_input_ends(stop):
    """Calls `stop` once standard input is at its end."""

    def wait():
        while sys.stdin.buffer.read(4096):
            pass
        stop()

    threading.Thread(target=wait, daemon=True).start()
