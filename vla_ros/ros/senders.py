"""Messages as bytes, with the publisher that sent each: its GID, which rclpy does not hand on.

rcl does, so the subscription is read through it. The layouts are those of rmw/types.h and rcutils/types/uint8_array.h in
Jazzy and Kilted, which are ABI-stable within a distribution.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from typing import NamedTuple

from rclpy.subscription import Subscription

GID_BYTES = 16
FIRST_BYTES = 256
"""The buffer grows with a longer message."""
UNCOUNTED = 2**64 - 1
"""`publication_sequence_number` of a middleware that does not count: RMW_MESSAGE_INFO_SEQUENCE_NUMBER_UNSUPPORTED."""
RCL_RET_OK = 0


class _Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("allocate", "deallocate", "reallocate", "zero_allocate", "state")]


class _Bytes(ctypes.Structure):
    _fields_ = [
        ("buffer", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("capacity", ctypes.c_size_t),
        ("allocator", _Allocator),
    ]


class _MessageInfo(ctypes.Structure):
    _fields_ = [
        ("source_timestamp", ctypes.c_int64),
        ("received_timestamp", ctypes.c_int64),
        ("publication_sequence_number", ctypes.c_uint64),
        ("reception_sequence_number", ctypes.c_uint64),
        ("implementation_identifier", ctypes.c_char_p),
        ("publisher_gid", ctypes.c_uint8 * GID_BYTES),
        ("from_intra_process", ctypes.c_bool),
    ]


class Received(NamedTuple):
    """One message as it came.

    data: serialized; None where it is longer than asked for. size: bytes. gid: of its publisher, hexadecimal, as
    `publisher_names` shows it. order: rises from message to message of one publisher. source_ns, received_ns: when it was
    sent and received, ns of the two hosts' system clocks; 0: the middleware does not know.
    """

    data: bytes | None
    size: int
    gid: str
    order: int
    source_ns: int
    received_ns: int


def take_serialized(subscription: Subscription, most: int, longest: int) -> Iterator[Received]:
    """Yield what has arrived, oldest first.

    Args:
        subscription: one that no executor reads; see `polling.polled`.
        most: number of messages that are taken at most.
        longest: bytes of a message whose content is handed on.
    """
    take = SerializedTake(subscription)
    for _ in range(most):
        with subscription.handle:
            received = take(longest)
        if received is None:
            return
        yield received


class SerializedTake:
    """Takes the messages of a subscription one by one. The subscription must be there as long as it is called.

    Args:
        subscription: one that no executor reads; see `polling.polled`.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._buffer, self._info = _buffer(), _MessageInfo()
        # Made once: where nothing has arrived, which is nearly always so, making them takes longer than to look.
        self._take = _library().rcl_take_serialized_message
        pointer = ctypes.c_void_p(subscription.handle.pointer)
        self._arguments = pointer, ctypes.byref(self._buffer), ctypes.byref(self._info), None

    def __call__(self, longest: int) -> Received | None:
        """Return the oldest message that has arrived; None: there is none.

        Args:
            longest: bytes of a message whose content is handed on.
        """
        if self._take(*self._arguments) != RCL_RET_OK:
            return None
        info, size = self._info, self._buffer.length
        counted, source_ns = info.publication_sequence_number, info.source_timestamp
        return Received(
            data=ctypes.string_at(self._buffer.buffer, size) if size <= longest else None,
            size=size,
            gid=bytes(info.publisher_gid).hex(),
            order=source_ns if counted == UNCOUNTED else counted,
            source_ns=source_ns,
            received_ns=info.received_timestamp,
        )


@functools.cache
def _library() -> ctypes.CDLL:
    """Return rcl, which rclpy has loaded."""
    rcl = ctypes.PyDLL("librcl.so")  # a call takes less than handing the interpreter to another thread and back
    rcl.rcl_take_serialized_message.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(_Bytes),
        ctypes.POINTER(_MessageInfo),
        ctypes.c_void_p,
    ]
    return rcl


@functools.cache
def _buffer() -> _Bytes:
    """Return the buffer that messages are taken into; it lives as long as the process."""
    rcutils = ctypes.CDLL("librcutils.so")
    rcutils.rcutils_get_default_allocator.restype = _Allocator
    rcutils.rcutils_uint8_array_init.argtypes = [
        ctypes.POINTER(_Bytes),
        ctypes.c_size_t,
        ctypes.POINTER(_Allocator),
    ]
    allocator, made = rcutils.rcutils_get_default_allocator(), _Bytes()
    if rcutils.rcutils_uint8_array_init(ctypes.byref(made), FIRST_BYTES, ctypes.byref(allocator)) != RCL_RET_OK:
        raise MemoryError("no buffer for messages")
    return made
