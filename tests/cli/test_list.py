"""``kolabsim list``, in both languages."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kolabsim.model.version import cache_folder
from tests.terminal import kolabsim


@pytest.mark.parametrize(
    ("what", "heading", "translated"),
    [
        ("scenarios", "title", "judul"),
        ("experiments", "question", "pertanyaan"),
        ("strategies", "what is done", "tindakan"),
        ("levers", "paid by", "dibayar oleh"),
        ("factors", "range", "rentang"),
        ("measures", "by region", "per daerah"),
        ("laws", "claim", "pernyataan"),
        ("terms", "levers", "instrumen"),
    ],
)
def test_every_list_is_in_both_languages(what, heading, translated, tmp_path):
    english = kolabsim("list", what, folder=tmp_path)
    indonesian = kolabsim("list", what, folder=tmp_path, LANG="id_ID.UTF-8")
    for done, words in ((english, heading), (indonesian, translated)):
        assert done.returncode == 0
        first, *rest = done.stdout.splitlines()
        assert words in first
        assert len(rest) > 2
    # Language changes words only: the same keys, in the same order.
    keys = [
        [line.split()[0] for line in done.stdout.splitlines() if line and line[0].isalpha()][1:]
        for done in (english, indonesian)
    ]
    assert keys[0] == keys[1]


def test_indonesian_lists_have_no_english_words_and_decimal_commas(tmp_path):
    for what in ("levers", "factors", "measures", "laws", "terms"):
        text = kolabsim("list", what, "--lang", "id", folder=tmp_path).stdout
        assert not re.search(r"\b(the|of|and|per year|assumed|whom|which)\b", text), what
        assert not re.search(r"\b0\.\d", text), what
    factors = kolabsim("list", "factors", "--lang", "id", folder=tmp_path).stdout
    assert "0,5" in factors


def test_levers_are_in_the_order_of_the_steps(tmp_path):
    done = kolabsim("list", "levers", folder=tmp_path)
    names = [line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()][1:]
    assert names == [
        "forum", "planning", "team", "information", "monitoring",
        "government", "ngo", "business", "community",
    ]  # fmt: skip


def test_levers_are_listed_with_their_strength_and_price(tmp_path):
    done = kolabsim("list", "levers", folder=tmp_path)
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "30%" in lines["team"]
    assert "0.6% of joint cost" in " ".join(done.stdout.split())
    # Forums are paid on all service cost, of which joint cost is a part.
    assert "0.15% of all" in " ".join(done.stdout.split())


def test_user_defined_levers_are_listed_with_the_laws_that_they_act_on(tmp_path):
    (tmp_path / "own.py").write_text(
        "from kolabsim import mechanism\n\n@mechanism(acts_on='leaving', title='fond farewell')\n"
        'def farewell(term, intensity, p):\n    """Fewer leave."""\n'
        "    return term * (1 - intensity)\n",
        encoding="utf-8",
    )
    (tmp_path / "w.yaml").write_text(
        "title: own\nextends: kartamantul\nextensions: [own.py]\n"
        "strategies: {a: {mechanisms: {farewell: 1}}}\n",
        encoding="utf-8",
    )
    done = kolabsim("list", "levers", "--scenario", "w.yaml", folder=tmp_path)
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "leaving" in lines["farewell"]
    assert "steering" in done.stdout
    assert "supporter" in lines["community"]


def test_other_lists_are_refused(tmp_path, refused):
    message = refused(kolabsim("list", "measure", folder=tmp_path))
    assert "did you mean 'measures'" in message
    done = kolabsim("list", "strategies", "--scenario", "kartamantu", folder=tmp_path)
    assert "did you mean 'kartamantul'" in refused(done)


def test_a_closed_output_is_no_problem(tmp_path):
    command = shlex.join([sys.executable, "-m", "kolabsim", "list", "measures"])
    for closed in (">&-", ">&- 2>&- <&-"):
        done = subprocess.run(["sh", "-c", f"{command} {closed}"], timeout=120, check=False)
        assert done.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such ids")
def test_a_user_without_a_home_compiles_into_the_temporary_folder(tmp_path, monkeypatch):
    for variable in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4021)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert Path(cache_folder.__wrapped__()).parent == tmp_path / "kolabsim-4021"
