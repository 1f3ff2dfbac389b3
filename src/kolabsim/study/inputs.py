"""Inputs: everything that decides the results of a study's points, so that runs can be repeated.

The bases of many points share most of their arrays: the world of all strategies, the policy of all
futures. A file of inputs holds the bases that a study planned together, and each array once.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.study.ledger import INPUT
from kolabsim.study.tasks import Plain, type_text

if TYPE_CHECKING:
    from kolabsim.study.ledger import Ledger

INPUTS = "inputs"
INDEX = "index"
"""The member of a file that says of which arrays each base consists."""


def inputs_name(bases: Iterable[str]) -> str:
    """The name of the file with these bases; one that is made again is the same file."""
    return f"{INPUTS}/{hashlib.sha256(','.join(bases).encode()).hexdigest()[:20]}.npz"


def to_bytes(bases: Mapping[str, Plain]) -> bytes:
    """Some bases as the content of a file."""
    members: dict[str, Any] = {}
    index = {
        base: {name: _member(value, members) for name, value in plain.items()}
        for base, plain in bases.items()
    }
    text = json.dumps(index, separators=(",", ":"))
    stream = io.BytesIO()
    members[INDEX] = np.array(text)
    np.savez_compressed(stream, **members)
    return stream.getvalue()


def _member(value: object, members: dict[str, Any]) -> str:
    """The name of the member of a file with a value, which is added if it is new."""
    array = np.asarray(value)
    shape = f"{type_text(array.dtype)}{array.shape}".encode()
    content = np.ascontiguousarray(array).tobytes()
    name = hashlib.sha256(shape + content).hexdigest()[:24]
    members.setdefault(name, array)
    return name


def from_bytes(content: bytes, wanted: Collection[str]) -> dict[str, Plain]:
    """The wanted bases among those that a file holds; no code in it is run."""
    found: dict[str, Plain] = {}
    values: dict[str, Any] = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        for base, members in json.loads(str(held[INDEX])).items():
            if base in wanted:
                for member in members.values():
                    if member not in values:
                        values[member] = _plain(held[member])
                found[base] = {name: values[member] for name, member in members.items()}
    return found


def _plain(array: np.ndarray) -> object:
    """An array, or the text or whole number that it stands for."""
    if array.dtype.kind == "U" and not array.shape:
        return str(array)
    return int(array) if array.dtype.kind == "i" and not array.shape else array


def write_inputs(ledger: Ledger, bases: Mapping[str, Plain]) -> None:
    """Write a file with the bases that no file of a ledger holds unharmed, if there are any."""
    known = {base for bases in _whole(ledger).values() for base in bases}
    new = {base: bases[base] for base in sorted(bases.keys() - known)}
    if new:
        name = inputs_name(new)
        ledger.write({name: to_bytes(new)}, INPUT, {name: list(new)})


def read_inputs(ledger: Ledger, wanted: Collection[str]) -> dict[str, Plain]:
    """The wanted bases that files of a ledger hold unharmed."""
    found: dict[str, Plain] = {}
    for file, bases in _whole(ledger).items():
        if missing := set(wanted) & set(bases) - found.keys():
            found |= from_bytes((ledger.folder / file).read_bytes(), missing)
    return found


def _whole(ledger: Ledger) -> dict[str, list[str]]:
    """The bases in each file that is as it was written."""
    return {
        name: bases
        for name in ledger.files
        if name.startswith(f"{INPUTS}/")
        and (bases := json.loads(ledger.files[name].spans))
        and not ledger.state(name)
    }
