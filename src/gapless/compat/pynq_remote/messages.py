"""From the table of calls to classes of messages, without generated code."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .protocol import Service

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "int32": _Field.TYPE_INT32,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
}


class Method(NamedTuple):
    """A call: its path (``/package.Service/name``), the classes of its messages, and which side sends many."""

    path: str
    request: Any
    response: Any
    many_requests: bool
    many_responses: bool


def describe(service: Service) -> Any:
    """The .proto file of a service, as a FileDescriptorProto."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{service.package}.proto", package=service.package, syntax="proto3")
    for name, fields in service.messages.items():
        _add_fields(file.message_type.add(name=name), fields)
    described = file.service.add(name=service.name)
    for name, text in service.methods.items():
        request, response = (side.split() for side in text.split("->"))
        method = described.method.add(name=name)
        method.input_type, method.output_type = (f".{service.package}.{side[-1]}" for side in (request, response))
        if request[0] == "stream":
            method.client_streaming = True
        if response[0] == "stream":
            method.server_streaming = True
    return file


def methods(service: Service) -> dict[str, Method]:
    """The calls of a service by name.

    In a pool of descriptors of their own: PYNQ's, of the same names, may be in this process.
    """
    pool = descriptor_pool.DescriptorPool()
    file = describe(service)
    pool.AddSerializedFile(file.SerializeToString())

    def message(name: str) -> Any:
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name.removeprefix(".")))

    return {
        method.name: Method(
            f"/{service.package}.{service.name}/{method.name}",
            message(method.input_type),
            message(method.output_type),
            method.client_streaming,
            method.server_streaming,
        )
        for method in file.service[0].method
    }


def _add_fields(message: Any, fields: str) -> None:
    for text in filter(None, fields.split(", ")):
        name, kind, number = text.split()
        field = message.field.add(
            name=name.rstrip("?"), number=int(number), type=_TYPES[kind], label=_Field.LABEL_OPTIONAL
        )
        if name.endswith("?"):  # presence in proto3 is a oneof of one
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")
