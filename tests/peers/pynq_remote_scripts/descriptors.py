"""Prints PYNQ's own description of each file of its protocol, serialised, in hexadecimal."""

from importlib import import_module

for name in ("mmio", "buffer", "gpio", "remote_device"):
    print(name, import_module(f"pynq.remote.{name}_pb2").DESCRIPTOR.serialized_pb.hex())
