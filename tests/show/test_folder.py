import errno

import pytest

from kolabsim.errors import InputError, StorageError
from kolabsim.show.folder import PROVENANCE, check_folder, replaced


def test_a_new_folder_takes_the_place_of_the_old_one_whole(tmp_path):
    folder = tmp_path / "results"
    for content in ("first", "second"):
        with replaced(folder) as part:
            (part / "table.csv").write_text(content, encoding="utf-8")
            (part / content).touch()
        assert (folder / "table.csv").read_text(encoding="utf-8") == content
    assert sorted(path.name for path in folder.iterdir()) == ["second", "table.csv"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyError("x")])
def test_what_fails_halfway_leaves_what_was_there(tmp_path, error):
    folder = tmp_path / "results"
    with replaced(folder) as part:
        (part / "table.csv").write_text("kept", encoding="utf-8")

    def write_half():
        with replaced(folder) as part:
            (part / "table.csv").write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(StorageError if isinstance(error, OSError) else KeyError) as told:
        write_half()
    if isinstance(error, OSError):
        assert "No space left on device" in str(told.value)
        assert "nothing was changed" in str(told.value)
    assert (folder / "table.csv").read_text(encoding="utf-8") == "kept"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_with_something_else_in_it_is_not_touched(tmp_path):
    (tmp_path / "letter.txt").touch()
    with pytest.raises(InputError, match="--out"):
        check_folder(tmp_path)
    (tmp_path / PROVENANCE).touch()
    check_folder(tmp_path)


def test_a_file_is_not_a_folder(tmp_path):
    path = tmp_path / "results"
    path.touch()
    with pytest.raises(InputError, match="this is a file"):
        check_folder(path)
    with pytest.raises(StorageError):
        check_folder(path / "deeper" / "still")
