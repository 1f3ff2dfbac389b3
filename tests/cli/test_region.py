"""``kolabsim region --with``: the answer about one joint body, and what the command refuses."""

import pytest

from tests.terminal import kolabsim

pytestmark = pytest.mark.usefixtures("sketched_figures")
ASKED = ("region", "34.71", "--scenario", "kartamantul")
QUICK = ("--plausible", "0", "--runs", "4", "--out", "g.html")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("With Kabupaten Sleman, sharing waste", "If Kabupaten Sleman leaves")),
        ("id", ("Bersama Kabupaten Sleman", "Jika Kabupaten Sleman keluar")),
    ],
)
def test_a_group_is_judged_in_both_languages(tmp_path, language, words):
    group = ("--with", "34.04", "--area", "waste", "--lang", language)
    done = kolabsim(*ASKED, *group, *QUICK, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "g.html").read_text(encoding="utf-8")
    for word in words:
        assert word in done.stdout
        assert word in page
    assert (tmp_path / "g.xlsx").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--area", "waste"), "name partners by --with"),
        (("--leaves-after", "5"), "name partners by --with"),
        (("--with", "34.04"), "name the service area of the joint body by --area"),
        (("--with", "34.04", "--area", "wast"), "did you mean 'waste'?"),
        (("--with", "34.71", "--area", "waste"), "is the region itself"),
        (("--with", "34.04,34.04", "--area", "waste"), "'34.04' is named twice"),
        (("--with", "34.99", "--area", "waste"), "no region has the code '34.99'"),
        (("--with", ",", "--area", "waste"), "at least one partner"),
        (("--with", "34.04", "--area", "waste", "--form", "boards"), "did you mean 'board'?"),
        (("--with", "34.04", "--area", "waste", "--leaves-after", "10"), "40 quarters"),
        (("--with", "34.04", "--area", "waste", "--strategy", "forums"), "did you mean 'forum'?"),
    ],
)
def test_a_group_that_cannot_be_judged_is_one_sentence(tmp_path, more, message):
    done = kolabsim(*ASKED, *more, "--out", "g.html", folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
