import subprocess
import sys

import pytest

import kolabsim as ks

HEAVY = ("numba", "mesa", "matplotlib", "pandas", "pyarrow", "scipy", "SALib", "babel", "networkx")


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("module", HEAVY)
def test_import_brings_nothing_heavy(module):
    done = run_python(f"import sys, kolabsim; sys.exit({module!r} in sys.modules)")
    assert done.returncode == 0, f"import kolabsim imports {module}"


def test_loading_a_scenario_brings_no_pictures_tables_or_agents():
    heavy = {"mesa", "matplotlib", "pandas", "pyarrow", "babel"}
    code = f"import sys, kolabsim; kolabsim.load('kartamantul'); print({heavy} & set(sys.modules))"
    assert run_python(code).stdout.strip() == "set()"


def test_importing_leaves_the_collection_of_garbage_as_it_was():
    code = (
        "import gc, kolabsim; kolabsim.Scenario; print(gc.isenabled());"
        "gc.disable(); kolabsim.Results; print(gc.isenabled())"
    )
    assert run_python(code).stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    "command", ["list levers", "list laws", "check kartamantul", "schema", "results --help"]
)
def test_commands_that_run_nothing_start_without_the_compiler(command):
    code = (
        f"import sys; sys.argv = ['kolabsim', *{command!r}.split()]\n"
        "from kolabsim.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "sys.exit('numba' in sys.modules)"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_public_names_are_all_there():
    assert sorted(dir(ks)) == sorted(ks.__all__)
    for name in ks.__all__:
        assert getattr(ks, name).__doc__, name


def test_unknown_names_are_refused_as_python_does():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = ks.simulat
