"""JSON in, strictly: UTF-8, one meaning per document, nothing that only some parsers take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class TooLarge(APIException):
    status_code = 413
    default_detail = "The body is larger than 1 MiB."


class StrictJsonParser(BaseParser):
    """`application/json` without NaN, doubled keys, lone surrogates, NUL or numbers too long to be read."""

    media_type = "application/json"
    most_bytes: int | None = None
    """None: the limit for uploads."""
    too_large: type[APIException] = TooLarge

    def parse(
        self,
        stream: IO[bytes] | None,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return one_value(self.read(stream))
        except ValueError as error:
            raise ParseError(f"The body is not JSON that can be used: {error}.") from error

    def read(self, stream: IO[bytes] | None) -> bytes:
        """The body within its limit, which Django does not apply to a stream."""
        if stream is None:
            return b""
        limit = self.most_bytes or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise self.too_large
        return raw


def one_value(raw: bytes) -> Any:
    """The document that these bytes are; ValueError says why it can't be used."""
    try:
        text = raw.decode()
        value = json.loads(text, parse_constant=_constant, object_pairs_hook=_unique)
        # As they are, UTF-8 has no lone surrogate and JSON no U+0000: only an escape can bring one in.
        if "\\u" in text:
            _storable(value)
    except RecursionError as error:
        # What the parser says of its own accord names lines and columns; a recursion error says nothing.
        raise ValueError("it is nested too deeply") from error
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _storable(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a text contains the character U+0000")
        value.encode()  # a lone surrogate is a ValueError
    elif isinstance(value, dict):
        for name, item in value.items():
            _storable(name)
            _storable(item)
    elif isinstance(value, list):
        for item in value:
            _storable(item)


class AlwaysJson(BaseContentNegotiation):
    """There is one representation, so that an Accept header has nothing to choose."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        # `request.content_type` is "" when the client named none.
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
