"""All use of numba: making machine code of a function, keeping it on disk, prefetching memory.

:mod:`kolabsim.model.jit` declares what is compiled and imports this module when something is. The
rest of kolabsim thus starts without numba, whose import takes half a second.
"""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    UserProvidedCacheLocator,
)
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from kolabsim.model.version import SOURCES, cache_folder, digest, shipped_code

__all__ = ["PORTABLE", "NumbaError", "is_portable", "make_dispatcher", "make_fetch"]

LINE = 64
"""Bytes that a processor takes from memory at a time."""


class _Locator(UserProvidedCacheLocator):
    """Places of machine code that depend on the package's content, not on where it is installed.

    All installations and checkouts of one version thus share it, and a wheel can bring it. Code of
    files outside the package is kept by path and time, as numba does.
    """

    def __init__(self, function: Callable, file: str) -> None:
        super().__init__(function, file)
        path, folder = Path(file).resolve(), cache_folder()
        assert folder is not None
        self._inside = path.is_relative_to(SOURCES)
        # A room's code calls that of other files in it, whose edits must empty the cache too. The
        # name of the folder stands for the model and the engine.
        self._room = path.relative_to(SOURCES).parts[0] if self._inside else ""
        name = path.parent.relative_to(SOURCES) if self._inside else self._subpath(file)
        self._folder = Path(folder) / name

    def _subpath(self, file: str) -> str:
        return str(self.get_suitable_cache_subpath(file))

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> Any:
        return digest(self._room) if self._inside else super().get_source_stamp()

    @classmethod
    def from_function(cls, function: Callable, file: str) -> _Locator:
        return cls(function, file)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012 (as numba has it)


PORTABLE = {"x86_64": "x86-64-v3", "aarch64": "generic"}
"""The processors that installed machine code is made for, by their architecture."""

NEEDED = ("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
"""What processors of the level x86-64-v3 have, beyond those of every x86-64."""


@cache
def is_portable() -> bool:
    """Whether this processor can run installed machine code."""
    features = llvmlite.binding.get_host_cpu_features()
    machine = platform.machine()
    return machine == "aarch64" or (
        machine == "x86_64" and all(features.get(name) for name in NEEDED)
    )


class _Cache(FunctionCache):
    """Machine code kept on disk; where there is none, what came with the installation."""

    _impl_class = _Implementation

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        found = super().load_overload(signature, target_context)
        shipped = shipped_code()
        if found is not None or shipped is None or not is_portable():
            return found
        place = shipped / Path(self._cache_path).relative_to(str(cache_folder()))
        stamp = self._impl.locator.get_source_stamp()
        files = IndexDataCacheFile(str(place), self._impl.filename_base, stamp)
        wanted = self._index_key(signature, target_context.codegen())
        for key in files._load_index():
            # The processor that it is made for is another one; the operating system is the same.
            if (key[0], key[1][0], key[2]) == (wanted[0], wanted[1][0], wanted[2]):
                data = files.load(key)
                return data and self._impl.rebuild(target_context, data)
        return None


def make_dispatcher(function: Callable, kept: bool, options: dict[str, Any]) -> Callable:
    """Numba's dispatcher of a function: it compiles, or loads what an earlier process compiled."""
    dispatcher = numba.njit(**options)(function)
    is_on_disk = Path(inspect.getfile(function)).is_file()
    if kept and is_on_disk and cache_folder() is not None:
        dispatcher._cache = _Cache(function)
    return dispatcher


@intrinsic
def _fetch_line(_context, array, place):
    """Prefetch one line of an array, ``place`` bytes from its start."""

    def generate(context, builder, signature, arguments):
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        address = builder.gep(builder.bitcast(data, byte), [arguments[1]])
        to_read, all_caches, data_not_code = (ir.Constant(number, k) for k in (0, 3, 1))
        builder.call(function, [address, to_read, all_caches, data_not_code])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


def _fetch(array, start, size):
    for place in range(start, start + size, LINE):
        _fetch_line(array, place)


def make_fetch() -> Callable:
    """The dispatcher of :func:`kolabsim.model.jit.fetch`."""
    return make_dispatcher(_fetch, False, {"nogil": True, "_nrt": False, "forceinline": True})
