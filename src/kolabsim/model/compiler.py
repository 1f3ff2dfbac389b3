"""All use of numba: making machine code of a function, keeping it on disk, prefetching memory.

:mod:`kolabsim.model.jit` declares what is compiled and imports this module when something is. The
rest of kolabsim thus starts without numba, whose import takes half a second.
"""

from __future__ import annotations

import hashlib
import inspect
import platform
import secrets
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    UserProvidedCacheLocator,
)
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.errors import NumbaError
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import (
    NativeValue,
    intrinsic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array

from kolabsim.model.state import Policy, State, World
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


# Device functions become machine code in their callers alone --------------------------------------


SHORT = 270
"""Instructions of the longest device function that is always copied into its callers."""


class _Unbound:
    """The code generator of a device function, whose environment is nowhere in memory."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing."""


class _Library(JITCodeLibrary):
    """The code of one function, and what it is linked with.

    Numba optimises each function together with all that it calls, makes machine code of it, and
    does so again for each caller. Here a device function is only lowered; where Python calls a
    function, all that it needs is linked once, optimised once, and becomes machine code.
    """

    is_device = False
    copied: bool | None = None
    kept_as = ""

    @property
    def codegen(self) -> Any:
        return _Unbound(self._codegen) if self.is_device else self._codegen

    def needed(self) -> dict[int, Any]:
        """All libraries that it is linked with, each after those of the functions it calls."""
        found: dict[int, Any] = {}
        for library in self._linking_libraries:
            if isinstance(library, _Library) and library.is_device:
                found |= library.needed()
            found[id(library)] = library
        return found

    def finalize(self) -> None:
        self._raise_if_finalized()
        if self.is_device:
            self._finalize_dynamic_globals()
            for function in self._final_module.functions:
                if self.copied is not None and function.name.startswith("_ZN8kolabsim"):
                    self._say_whether_copied(function)
            self._finalized = True
            return
        functions = self._final_module.functions
        own = {function.name for function in functions if not function.is_declaration}
        # A caller first: the linker leaves out what nothing has called yet.
        for library in reversed(self.needed().values()):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        # Nothing else calls them: unused ones go, and those with one caller are inlined. All of
        # them: the linker of a process finds internal ones too, and would let a function of
        # another library call them, although their arguments may be passed in another way.
        for function in self._final_module.functions:
            is_ours = function.name.startswith("_ZN8kolabsim") and function.name not in own
            if is_ours and not function.is_declaration:
                function.linkage = "internal"
        self._optimize_final_module()
        self._final_module.verify()
        self._finalize_final_module()

    def _say_whether_copied(self, function: Any) -> None:
        if not function.is_declaration:
            if not self.copied:
                function.add_function_attribute("noinline")
            elif _is_short(function):
                function.add_function_attribute("alwaysinline")

    def get_pointer_to_function(self, name: str) -> int:
        if not self.is_device:
            return int(super().get_pointer_to_function(name))
        self._ensure_finalized()
        return 0

    def serialize_using_object_code(self) -> tuple:
        if not self.is_device:
            return super().serialize_using_object_code()
        names = [_keep(library) for library in self.needed().values()]
        return self.name, "device", (_keep(self), names)


def _is_short(function: Any) -> bool:
    """Whether copies of a function into all its callers take little time to compile."""
    return sum(1 for block in function.blocks for _each in block.instructions) <= SHORT


_KEPT: dict[str, Any] = {}
"""Libraries that were kept on disk or read from there, by the hash of their code."""


def _keep(library: Any) -> str:
    """Keep the code of a library for linking on disk, and return its name there."""
    name = getattr(library, "kept_as", "")
    if not name:
        code = library._get_module_for_linking().as_bitcode()
        name = library.kept_as = hashlib.sha256(code).hexdigest()[:20]
        folder = Path(cache_folder() or "") / "linked"
        folder.mkdir(exist_ok=True)
        if not (folder / name).is_file():
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(code)
            Path(file.name).replace(folder / name)
        _KEPT[name] = library
    return name


def _read(name: str, codegen: Any) -> Any:
    """The library with this name on disk; OSError if it is not there as it was written."""
    if name not in _KEPT:
        file = Path(cache_folder() or "") / "linked" / name
        code = file.read_bytes()
        if hashlib.sha256(code).hexdigest()[:20] != name:
            file.unlink(missing_ok=True)  # so that it is written again
            raise FileNotFoundError(file)
        library = _Library(codegen, name)
        library.is_device, library._finalized, library.kept_as = True, True, name
        library._shared_module = llvmlite.binding.parse_bitcode(code)
        _KEPT[name] = library
    return _KEPT[name]


class _Compiler(Compiler):
    """Numba's compiler, with libraries of our own."""

    copies: bool | None = None
    """Whether its functions are copied into their callers; by default LLVM decides."""

    def compile_extra(self, function: Callable) -> Any:
        codegen = self.state.targetctx.codegen()
        self.state.library = _Library(codegen, function.__qualname__)
        self.state.library.is_device = self.state.flags.no_cpython_wrapper
        self.state.library.copied = self.copies
        self.state.library.enable_object_caching()
        return super().compile_extra(function)

    def _compile_bytecode(self) -> Any:
        # Numba counts the functions of a process to tell apart those of one name and type. Code
        # that another process kept has other numbers, and might have that of another function.
        self.state.func_id.unique_id = secrets.randbits(62)
        return super()._compile_bytecode()


class _CopyingCompiler(_Compiler):
    """It makes device functions whose code is copied into that of their callers."""

    copies = True


class _SeparateCompiler(_Compiler):
    """It makes device functions that stay apart."""

    copies = False


class _Implementation(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012 (as numba has it)

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        (_name, kind, data), *more = payload
        if kind != "device":
            return super().rebuild(target_context, payload)
        codegen = target_context.codegen()
        try:
            library, *needed = (_read(one, codegen) for one in (data[0], *data[1]))
        except OSError:
            return None
        library._linking_libraries = needed
        function, environment, signature, objectmode, lifted, annotation, reload, _found = more
        for again in reload:
            again()
        result: Any = CompileResult
        return result(
            typing_context=target_context.typing_context, target_context=target_context,
            entry_point=target_context.get_executable(library, function, environment),
            typing_error=None, type_annotation=annotation, signature=signature,
            objectmode=objectmode, lifted=lifted, fndesc=function, library=library,
            call_helper=None, environment=environment, metadata=None, reload_init=reload,
            referenced_envs=(),
        )  # fmt: skip


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


class _DeviceImplementation(_Implementation):
    def get_filename_base(self, name: str, flags: str) -> str:
        return f"{super().get_filename_base(name, flags)}.device"


class _DeviceCache(_Cache):
    """The code of functions that compiled functions call; an installation brings none."""

    _impl_class = _DeviceImplementation


def make_dispatcher(function: Callable, kept: bool, options: dict[str, Any]) -> Callable:
    """Numba's dispatcher of a function: it compiles, or loads what an earlier process compiled."""
    compiler = _Compiler
    if options["no_cpython_wrapper"] and "forceinline" in options:
        compiler = _CopyingCompiler if options["forceinline"] else _SeparateCompiler
    dispatcher = numba.njit(pipeline_class=compiler, **options | {"forceinline": False})(function)
    is_on_disk = Path(inspect.getfile(function)).is_file()
    if kept and is_on_disk and cache_folder() is not None:
        dispatcher._cache = (_DeviceCache if options["no_cpython_wrapper"] else _Cache)(function)
    return dispatcher


# The state is passed by its address ---------------------------------------------------------------


class Reference(types.Type):
    """A named tuple of arrays that lies in memory and is passed by its address.

    As a value, a state is some ninety words, and each call of a function would take them apart,
    copy and assemble them: most of the time to compile the model went into that.
    """

    def __init__(self, fields: types.NamedTuple) -> None:
        self.fields = fields
        content = hashlib.sha256(str(fields).encode()).hexdigest()[:12]
        # The name is part of that of each function with such an argument: a short one.
        super().__init__(f"{fields.instance_class.__name__}_{content}")

    @property
    def key(self) -> Any:
        return self.fields


@register_model(Reference)
class _ReferenceModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Reference) -> None:
        super().__init__(manager, kind, ir.IntType(8).as_pointer())


def _type_reference(value: Any, c: Any) -> Reference:
    return Reference(typeof_impl.dispatch(tuple)(value, c))


for _class in (State, World, Policy):
    typeof_impl.register(_class, _type_reference)


@infer_getattr
class _ReferenceAttributes(AttributeTemplate):
    key = Reference

    def generic_resolve(self, reference: Reference, name: str) -> Any:  # type: ignore[override]
        fields = reference.fields
        return fields[fields.fields.index(name)] if name in fields.fields else None


@unbox(Reference)
def _unbox_reference(kind: Reference, value: Any, c: Any) -> NativeValue:
    """Copy the fields of a named tuple to the stack of the entry from Python."""
    found = c.unbox(kind.fields, value)
    place = cgutils.alloca_once_value(c.builder, found.value)
    byte = ir.IntType(8).as_pointer()
    # The compiler must not know where the address comes from: the fields that it reads there
    # never change, and without this it might read them before they are written.
    same = ir.FunctionType(byte, [byte])
    address = c.builder.asm(same, "", "=r,0,~{memory}", [c.builder.bitcast(place, byte)], True)

    def clean_up() -> None:
        if found.cleanup is not None:
            found.cleanup()
        # Numba counts references to arguments by their type, and an address refers to nothing.
        c.context.nrt.decref(c.builder, kind.fields, found.value)

    return NativeValue(address, cleanup=clean_up, is_error=found.is_error)


@lower_getattr_generic(Reference)
def _read_field(context: Any, builder: Any, kind: Reference, value: Any, name: str) -> Any:
    """Read an array of the state; like all in its caller, it has no count of references."""
    field = kind.fields.fields.index(name)
    array = kind.fields[field]
    place = builder.bitcast(value, context.get_value_type(kind.fields).as_pointer())
    found = make_array(array)(context, builder)
    number = ir.IntType(32)

    def read(member: str, *more: int) -> Any:
        path = (0, field, found._datamodel.get_field_position(member), *more)
        word = builder.load(builder.gep(place, [number(step) for step in path], inbounds=True))
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word

    size = context.get_abi_sizeof(context.get_data_type(array.dtype))
    shape = [read("shape", k) for k in range(array.ndim)]
    if array.layout == "C":  # a constant for the last axis, which makes loops over it short
        strides = [context.get_constant(types.intp, size)]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
    else:
        strides = [read("strides", k) for k in range(array.ndim)]
    populate_array(found, read("data"), shape, strides, size, None)
    return impl_ret_borrowed(context, builder, array, found._getvalue())


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
    options = {"nogil": True, "_nrt": False, "forceinline": True}
    more = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return make_dispatcher(_fetch, False, options | more)
