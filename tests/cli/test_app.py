"""The command that serves the web page, as far as it goes without a browser."""

import socket
import subprocess
import sys

import pytest

from kolabsim.cli.app import free_port
from kolabsim.errors import InputError


def test_a_port_is_found_and_one_that_is_taken_is_refused():
    assert free_port("127.0.0.1", 0) > 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match="choose another port with --port"):
            free_port("127.0.0.1", other.getsockname()[1])


def kolabsim(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", timeout=120
    )


def test_without_nicegui_a_sentence_says_what_to_install():
    done = kolabsim(
        "import sys; sys.modules['nicegui'] = None; sys.argv = ['kolabsim', 'app', '--port', '0'];"
        "from kolabsim.cli import main; main()"
    )
    assert done.returncode == 2
    assert "pip install -e '.[app]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_scenario_that_is_not_there_is_refused_before_anything_is_served():
    done = kolabsim(
        "import sys; sys.argv = ['kolabsim', 'app', '--scenario', 'kartamantel'];"
        "from kolabsim.cli import main; main()"
    )
    assert done.returncode == 2
    assert "did you mean 'kartamantul'?" in done.stderr


def test_the_page_is_not_loaded_with_the_commands():
    code = "import kolabsim.cli, kolabsim.app.session, sys; sys.exit('nicegui' in sys.modules)"
    assert kolabsim(code).returncode == 0
