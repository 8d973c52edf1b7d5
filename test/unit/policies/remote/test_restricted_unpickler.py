"""Only a list of timed actions is read, whatever a pickle asks for; nothing is executed."""

from __future__ import annotations

import io
import os
import pickle
import struct
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.policies.remote.restricted_unpickler import MAX_ROWS, timed_actions

HELPERS = "lerobot.async_inference.helpers"


class _Named(pickle._Pickler):
    """Pickles instances of `Global` as a name of a module that need not exist."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(obj, Instance):
            self.write(pickle.GLOBAL + f"{HELPERS}\nTimedAction\n".encode() + pickle.EMPTY_TUPLE + pickle.NEWOBJ)
            self.save(obj.fields)
            self.write(pickle.BUILD)
        else:
            super().save(obj, save_persistent_id)


class Global:
    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Instance:
    def __init__(self, **fields: Any) -> None:
        self.fields = fields


def pickled(value: Any, protocol: int = 3) -> bytes:
    file = io.BytesIO()
    _Named(file, protocol).dump(value)
    return file.getvalue()


def storage(values: np.ndarray, name: str = "FloatStorage", count: int | None = None) -> bytes:
    """The bytes of a storage as torch.save writes them in its old format."""
    count = len(values) if count is None else count
    file = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, file, 2)
    head = pickle.dumps(("storage", 7, "0", "cpu", count, None), 2)
    head = head.replace(b"K\x07", f"ctorch\n{name}\n".encode())[:-1] + pickle.BINPERSID + pickle.STOP
    file.write(head)
    pickle.dump(["0"], file, 2)
    file.write(struct.pack("<q", count) + values.tobytes())
    return file.getvalue()


def tensor(data: bytes, offset: int = 0, size: tuple[int, ...] = (8,), stride: tuple[int, ...] = (1,)) -> Call:
    loaded = Call(Global("torch.storage", "_load_from_bytes"), data)
    hooks = Call(Global("collections", "OrderedDict"))
    return Call(Global("torch._utils", "_rebuild_tensor_v2"), loaded, offset, size, stride, False, hooks)


def row(action: Any, step: int = 4) -> Instance:
    return Instance(timestamp=1.5, timestep=step, action=action)


VALUES = np.arange(16, dtype=np.float32)


def test_tensors_become_arrays() -> None:
    data = storage(VALUES)
    rows = timed_actions(pickled([row(tensor(data)), row(tensor(data, 8), 5)]))
    assert [each.timestep for each in rows] == [4, 5] and rows[0].timestamp_s == 1.5
    assert np.array_equal(np.stack([each.action for each in rows]), VALUES.reshape(2, 8))
    assert rows[0].action.dtype == np.float32


@pytest.mark.parametrize(("name", "dtype"), [("DoubleStorage", "<f8"), ("HalfStorage", "<f2")])
def test_other_floats(name: str, dtype: str) -> None:
    (only,) = timed_actions(pickled([row(tensor(storage(VALUES.astype(dtype), name)))]))
    assert np.array_equal(only.action, VALUES[:8])


def test_bfloat16() -> None:
    half = (VALUES.view(np.uint32) >> 16).astype(np.uint16)
    (only,) = timed_actions(pickled([row(tensor(storage(half, "BFloat16Storage")))]))
    assert np.array_equal(only.action, VALUES[:8])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numpy_arrays_of_every_protocol(protocol: int) -> None:
    action = VALUES[:8].astype(">f4")
    if protocol == 2:  # bytes as text, which needs _codecs
        with pytest.raises(ValueError, match="names _codecs"):
            timed_actions(pickled([row(action)], protocol))
        return
    (only,) = timed_actions(pickled([row(action)], protocol))
    assert np.array_equal(only.action, VALUES[:8])


def test_time_stamps_of_numpy() -> None:
    data = pickled([Instance(timestamp=np.float64(2.5), timestep=1, action=VALUES)])
    assert timed_actions(data)[0].timestamp_s == 2.5


ATTACKS = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("subprocess", "Popen"),
    ("importlib", "import_module"),
    ("operator", "attrgetter"),
    ("functools", "partial"),
    ("torch", "load"),
    ("torch.hub", "load"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("numpy.testing._private.utils", "runstring"),
    (HELPERS, "TimedObservation"),
    (HELPERS, "TimedAction.__init__"),
    (HELPERS, "os"),
    ("pickle", "loads"),
    ("torch.storage", "torch.load"),
    ("vla_ros.policies.remote.restricted_unpickler", "io.os.system"),
]


@pytest.mark.parametrize(("module", "name"), ATTACKS)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_every_other_name_is_refused(module: str, name: str, protocol: int, tmp_path: Path) -> None:
    target = tmp_path / "owned"
    data = pickled([row(Call(Global(module, name), f"touch {target}"))], protocol)
    with pytest.raises(ValueError, match="names|no pickle of actions"):
        timed_actions(data)
    assert not target.exists()


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/owned_by_a_pickle",)


class Nested:
    def __reduce__(self) -> Any:
        return getattr, (str, "eval")


@pytest.mark.parametrize("thing", [Evil(), Nested(), print, os.system, type, OrderedDict([(1, 2)])])
@pytest.mark.parametrize("protocol", range(6))
def test_what_pickle_itself_writes_of_them_is_refused(thing: Any, protocol: int) -> None:
    with pytest.raises(ValueError):
        timed_actions(pickle.dumps([thing], protocol))
    assert not os.path.exists("/tmp/owned_by_a_pickle")


def test_names_inside_a_storage_are_refused() -> None:
    data = storage(VALUES).replace(b"ctorch\nFloatStorage\n", b"cos\nsystem\n")
    with pytest.raises(ValueError, match="names os.system"):
        timed_actions(pickled([row(tensor(data))]))


def test_setting_attributes_of_what_is_given_spoils_nothing() -> None:
    spoil = pickle.GLOBAL + b"torch._utils\n_rebuild_tensor_v2\n"
    state = pickle.dumps((None, {"__call__": 1, "keywords": {}}), 3)[2:-1]
    with pytest.raises(ValueError):
        timed_actions(b"\x80\x03" + spoil + state + pickle.BUILD + pickle.STOP)
    spoil = pickle.GLOBAL + f"{HELPERS}\nTimedAction\n".encode()
    state = pickle.dumps((None, {"__new__": None, "timestamp": 1.0}), 3)[2:-1]
    with pytest.raises(ValueError):
        timed_actions(b"\x80\x03" + spoil + state + pickle.BUILD + pickle.STOP)
    assert len(timed_actions(pickled([row(tensor(storage(VALUES)))]))) == 1
    assert np.dtype("<f4") == np.float32  # one object for everybody: its state must not have been set
    data = pickled([row(np.zeros(2, np.float32))]).replace(b"<", b">", 1)
    timed_actions(data)
    assert np.array([1.0], np.float32).tobytes() == b"\x00\x00\x80?"


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (17,), (1,)),
        (9, (8,), (1,)),
        (-1, (8,), (1,)),
        (0, (8,), (-1,)),
        (0, (8,), (3,)),
        (0, (8, 2), (1,)),
        (0, (2**40,), (0,)),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="tensor"):
        timed_actions(pickled([row(tensor(storage(VALUES), offset, size, stride))]))


def laughs() -> Any:
    """A list that is small as a pickle, and endless when it is written out."""
    found: Any = "ha"
    for _ in range(60):
        found = [found, found]
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # LONG_BINPUT
        b"\x80\x02Np2147483647\n.",  # PUT
        b"\x80\x02" + b"N0" * 300_000 + b"N.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # BINBYTES8
        pickle.dumps(laughs(), 4),
        pickled([row(Call(Global("numpy", "dtype"), laughs()))]),
        pickled([row(Call(Global("numpy._core.numeric", "_frombuffer"), laughs(), laughs(), laughs(), "C"))]),
        pickled([Instance(timestamp=1.0, timestep=1, action=laughs())]),
        pickled([row(tensor(storage(VALUES).replace(b"\x80\x02]", b"\x80\x02Nr\xff\xff\xff\x7f0]", 1)))]),
    ],
)
def test_bombs_are_refused_quickly_and_in_little_memory(data: bytes) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, hard))
    began_s = time.monotonic()
    try:
        with pytest.raises(ValueError):
            timed_actions(data)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert time.monotonic() - began_s < 10.0


@pytest.mark.parametrize("count", [17, 2**40])
def test_a_storage_that_is_cut_off_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        timed_actions(pickled([row(tensor(storage(VALUES, count=count)))]))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "text",
        [1, 2],
        [row(None)],
        [row("left")],
        [row(np.zeros((2, 3)))],
        [row(np.array(["a", "b"]))],
        [row(np.array([None, 1], dtype=object))],
        [Instance(timestamp="now", timestep=1, action=VALUES)],
        [Instance(timestamp=1.0, timestep=True, action=VALUES)],
        [Instance()],
        [row(VALUES)] * (MAX_ROWS + 1),
    ],
)
def test_what_is_no_list_of_actions_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        timed_actions(pickled(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        timed_actions(data)


@given(st.data())
def test_a_torn_pickle_is_refused_or_read_as_it_is(data: st.DataObject) -> None:
    whole = bytearray(pickled([row(tensor(storage(VALUES)))]))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    try:
        rows = timed_actions(bytes(whole))
    except ValueError:
        return
    assert all(isinstance(each.action, np.ndarray) for each in rows)
