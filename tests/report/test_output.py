import errno

import pytest

from kolabsim.errors import InputError, StorageError
from kolabsim.files import write_whole
from kolabsim.report.output import check_folder, fresh_folder
from kolabsim.study.rows import LEDGER


def test_a_folder_with_something_else_in_it_is_not_touched(tmp_path):
    (tmp_path / "letter.txt").touch()
    with pytest.raises(InputError, match="--out"):
        check_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    (tmp_path / LEDGER).touch()
    check_folder(tmp_path)


def test_a_folder_of_the_format_before_is_refused(tmp_path):
    (tmp_path / "study.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"an earlier version .* --fresh"):
        check_folder(tmp_path)


def test_a_file_is_not_a_folder(tmp_path):
    path = tmp_path / "results"
    path.touch()
    with pytest.raises(InputError, match="this is a file"):
        check_folder(path)
    with pytest.raises(StorageError):
        check_folder(path / "deeper" / "still")


def test_looking_whether_there_is_room_leaves_nothing(tmp_path):
    check_folder(tmp_path / "deeper" / "still")
    assert list(tmp_path.iterdir()) == []


def test_a_fresh_folder_is_the_next_one_that_is_free(tmp_path):
    folder = tmp_path / "demo"
    assert fresh_folder(folder) == folder
    folder.mkdir()
    assert fresh_folder(folder) == folder
    (folder / "anything").touch()
    (tmp_path / "demo-2").touch()
    assert fresh_folder(folder) == tmp_path / "demo-3"


def test_a_file_is_written_whole_or_what_was_there_stays(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "table.csv"
    write_whole(path, b"first")
    with monkeypatch.context() as patch:

        def refuse(*_words):
            raise OSError(errno.EDQUOT, "Disk quota exceeded")

        patch.setattr("kolabsim.files.os.fsync", refuse)
        with pytest.raises(StorageError, match="Disk quota exceeded"):
            write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
