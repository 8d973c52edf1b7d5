"""Messages with the publisher that sent each: its GID, which rclpy does not hand on.

rcl does, so the subscription is read through it. The layouts are those of rmw/types.h and rcutils/types/uint8_array.h in
Jazzy and Kilted, which are ABI-stable within a distribution.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rclpy.serialization import deserialize_message
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


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a message, and which of its messages it is.

    gid: of the publisher, hexadecimal, as `publisher_names` shows it. sent_ns: its source timestamp, ns of the sender's
    system clock. order: rises from message to message of one publisher.
    """

    gid: str
    sent_ns: int
    order: int


def take_with_sender(subscription: Subscription) -> Iterator[tuple[Any, Sender]]:
    """Yield (message, sender) for all that has arrived, oldest first; at most one queue depth, as `polling.take`.

    Args:
        subscription: one that no executor reads; see `polling.polled`.
    """
    rcl, buffer = _library(), _buffer()
    for _ in range(max(1, subscription.qos_profile.depth)):
        info = _MessageInfo()
        with subscription.handle:
            pointer = subscription.handle.pointer
            taken = rcl.rcl_take_serialized_message(pointer, ctypes.byref(buffer), ctypes.byref(info), None)
        if taken != RCL_RET_OK:
            return
        raw = ctypes.string_at(buffer.buffer, buffer.length)
        counted = info.publication_sequence_number
        order = info.source_timestamp if counted == UNCOUNTED else counted
        sender = Sender(bytes(info.publisher_gid).hex(), info.source_timestamp, order)
        yield deserialize_message(raw, subscription.msg_type), sender


@functools.cache
def _library() -> ctypes.CDLL:
    """Return rcl, which rclpy has loaded."""
    rcl = ctypes.CDLL("librcl.so")
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
