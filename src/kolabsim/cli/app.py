"""``kolabsim app``: serve the web page."""

from __future__ import annotations

import socket
import sys

import typer

from kolabsim.cli.program import LANGUAGE, choose, number, program
from kolabsim.cli.terminal import announce_compilation, terminal
from kolabsim.errors import InputError, require
from kolabsim.i18n import N_, _


@program.command("app", help=N_("Try out strategies and assumptions on a web page."))
def app(
    scenario: str = typer.Option(
        "kartamantul", metavar=N_("SCENARIO"), help=N_("Scenario to start with.")
    ),
    host: str = typer.Option(
        "127.0.0.1",
        metavar=N_("ADDRESS"),
        help=N_("Address to serve at; 0.0.0.0 admits other machines."),
    ),
    port: int = number(8765, N_("Port to serve at; 0 takes any free port."), min=0, max=65535),
    allow_host: list[str] = typer.Option(
        [],
        "--allow-host",
        metavar=N_("NAME"),
        help=N_("Further name under which browsers reach the page, as behind a proxy; * is any."),
    ),
    limits: float = typer.Option(
        1.0,
        metavar=N_("FACTOR"),
        help=N_("Raise or lower the limits on the work and the files of a visitor."),
    ),
    no_browser: bool = typer.Option(False, "--no-browser", help=N_("Do not open a browser.")),
    language: str | None = LANGUAGE,
) -> None:
    from kolabsim.scenario.scenario import shipped_names

    choose(scenario, dict.fromkeys(shipped_names("scenarios"), scenario))
    if not 0.1 <= limits <= 1000.0:
        text = _("--limits: {value} is not a number from {least} to {most}")
        raise InputError.of(text, value=f"{limits:g}", least="0.1", most="1000")
    port = free_port(host, port)
    require("nicegui", extra="app", what=_("the web page"))
    from kolabsim.app.ahead import Ahead

    announce_compilation()
    ahead = Ahead(scenario)  # while this imports the framework
    from kolabsim.app.server import serve

    shown = f"[{host}]" if ":" in host else host
    text = _("Open http://{host}:{port} in a browser; Ctrl+C ends it.")
    terminal(sys.stdout).print(text.format(host=shown, port=port), soft_wrap=True)
    sys.stdout.flush()
    serve(
        host, port, scenario=scenario, show=not no_browser, allowed=allow_host, factor=limits,
        ahead=ahead,
    )  # fmt: skip


def free_port(host: str, port: int) -> int:
    """The port, or a free one instead of 0; one that is taken is refused with the way out."""
    if not host:  # to the system, no address means all of them
        text = _("--host: give an address; 0.0.0.0 admits other machines")
        raise InputError.of(text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
            return int(tried.getsockname()[1])
    except (OSError, TypeError, UnicodeError) as error:  # the last two: no name of a host
        text = _("cannot serve at {host}, port {port} ({reason}); choose another port with --port")
        reason = getattr(error, "strerror", None) or error
        text = text.format(host=host, port=port, reason=reason)
        raise InputError.of(text) from error
