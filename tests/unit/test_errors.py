"""The exception tree: what its page says is what it is."""

from __future__ import annotations

import inspect
import re

import pytest

from gapless import errors


def classes():
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind)
        and issubclass(kind, BaseException)
        and not issubclass(kind, Warning)
        and kind.__module__ == errors.__name__
    }


def documented():
    """(name, documented parent, built-in it is too) of each line of the tree."""
    parents, found = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"^([ │├└─]*)(\w+Error)(?: \((\w+)\))?", line.removeprefix("    "))
        if match:
            depth = len(match.group(1)) // 4
            parents[depth] = match.group(2)
            found.append((match.group(2), parents.get(depth - 1), match.group(3)))
    return found


def test_the_tree_in_the_docstring_is_the_tree():
    listed = documented()
    assert {name for name, _, _ in listed} == set(classes())
    for name, parent, builtin in listed:
        kind = classes()[name]
        if parent is not None:
            assert classes()[parent] in kind.__bases__, name
        else:
            assert name == "GaplessError"
        if builtin is not None:
            assert getattr(__import__("builtins"), builtin) in kind.__bases__, name


def test_an_unknown_name_prints_its_message_and_what_there_is():
    error = errors.UnknownNameError("pool", "foo", ["a", "b"])
    assert str(error) == "no pool 'foo': there is a, b"
    assert str(errors.UnknownNameError("pool", 3, [])) == "no pool 3: there is none"
    with pytest.raises(KeyError):
        raise error
    with pytest.raises(ValueError, match="no pool"):
        raise error


def test_a_dma_error_carries_address_and_status():
    error = errors.DmaDecodeError("text", address=0x1000, status=0x40)
    assert (str(error), error.address, error.status) == ("text", 0x1000, 0x40)
    plain = errors.DmaError("text")
    assert (plain.address, plain.status) == (None, 0)
