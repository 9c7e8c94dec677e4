"""XML from a file that anybody may have made."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.parsers.expat import errors

from ...errors import BadArgumentError

_ENDS_EARLY = {
    errors.codes[name]
    for name in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN, errors.XML_ERROR_PARTIAL_CHAR)
}


def parse(data: bytes, title: str) -> ElementTree.Element:
    """The root element. BadArgumentError, which begins with ``title``, when it is no XML, cut short, or has a DTD.

    A document type may define entities that grow without bound or read other files. No hand-off has one.
    """
    try:
        # As UTF-8 and nothing else, so that "<!DOCTYPE" cannot be written in another way.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadArgumentError(f"{title} is no XML: byte {error.start} is no UTF-8") from None
    if not text.lstrip().startswith("<"):
        raise BadArgumentError(f"{title} is {'empty' if not text.strip() else 'no XML: it does not begin with <'}")
    if "<!DOCTYPE" in text:
        raise BadArgumentError(f"{title} has a document type (DTD), which no hand-off has: it is not read")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line, _ = error.position
        if error.code in _ENDS_EARLY:
            raise BadArgumentError(
                f"{title} is cut short: it ends in the middle, in line {line}; copy it again"
            ) from None
        raise BadArgumentError(
            f"{title} is no XML: {errors.messages.get(error.code, error.msg)}, line {line}"
        ) from None
    except ValueError as error:  # a NUL, for one
        raise BadArgumentError(f"{title} is no XML: {error}") from None
