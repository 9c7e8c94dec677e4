"""The calls of PYNQ.remote as a table: services, messages, fields and their numbers.

Source: PYNQ 4.0.0, ``pynq/remote/*_pb2.py``; a peer test holds that both are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Service(NamedTuple):
    """One service of a .proto file.

    ``messages``: fields as ``name type number``, with a question mark after the name where the sender says whether it
    is there. ``methods``: ``Request -> Response``, with ``stream`` before the side that sends many.
    """

    package: str
    name: str
    messages: Mapping[str, str]
    methods: Mapping[str, str]


MMIO = Service(
    "mmio",
    "Mmio",
    {
        "GetMmioRequest": "base_addr uint64 1, length uint64 2",
        "GetMmioResponse": "status bool 1, msg? string 2, mmio_id? string 3",
        "ReadRequest": "mmio_id string 1, length uint64 2, offset uint64 3, word_order string 4",
        "ReadResponse": "status bool 1, msg? string 2, data? uint32 3",
        "WriteRequest": "mmio_id string 1, offset uint64 2, data bytes 3",
        "WriteResponse": "status bool 1, msg? string 2",
    },
    {
        "get_mmio": "GetMmioRequest -> GetMmioResponse",
        "read": "ReadRequest -> ReadResponse",
        "write": "WriteRequest -> WriteResponse",
    },
)

BUFFER = Service(
    "buffer",
    "RemoteBuffer",
    {
        "CacheableRequest": "buffer_id string 1",
        "CacheableResponse": "msg? string 2, cacheable? bool 3",
        "AddressRequest": "buffer_id string 1",
        "AddressResponse": "msg? string 2, address? uint64 3",
        "InvalidateRequest": "buffer_id string 1",
        "InvalidateResponse": "msg? string 2",
        "FlushRequest": "buffer_id string 1",
        "FlushResponse": "msg? string 2",
        "AllocateRequest": "size int32 1, dtype string 2, cacheable bool 3",
        "AllocateResponse": "msg? string 2, buffer_id? string 3",
        "BufferWriteRequest": "buffer_id string 1, data bytes 2, start int32 3, end int32 4",
        "BufferWriteResponse": "msg? string 2",
        "BufferReadRequest": "buffer_id string 1, start int32 2, end int32 3",
        "BufferReadResponse": "msg? string 2, data? bytes 3",
        "FreeBufferRequest": "buffer_id string 1",
        "FreeBufferResponse": "msg? string 2",
    },
    {
        "allocate": "AllocateRequest -> AllocateResponse",
        "write": "stream BufferWriteRequest -> BufferWriteResponse",
        "read": "BufferReadRequest -> stream BufferReadResponse",
        "freebuffer": "FreeBufferRequest -> FreeBufferResponse",
        "flush": "FlushRequest -> FlushResponse",
        "invalidate": "InvalidateRequest -> InvalidateResponse",
        "physical_address": "AddressRequest -> AddressResponse",
        "virtual_address": "AddressRequest -> AddressResponse",
        "cacheable": "CacheableRequest -> CacheableResponse",
    },
)

GPIO = Service(
    "gpio",
    "Gpio",
    {
        "GetGpioRequest": "index int32 1, direction string 2",
        "GetGpioResponse": "message? string 2, gpio_id? string 3",
        "GpioReadRequest": "gpio_id string 1",
        "GpioReadResponse": "message? string 2, value? int32 3",
        "GpioWriteRequest": "gpio_id string 1, value int32 2",
        "GpioWriteResponse": "",
        "GpioUnexportRequest": "gpio_id string 1",
        "GpioUnexportResponse": "",
        "GpioIsExportedRequest": "gpio_id string 1",
        "GpioIsExportedResponse": "is_exported? bool 3",
        "GetGpioBasePathRequest": "target_label? string 1",
        "GetGpioBasePathResponse": "base_path? string 3",
        "GetGpioNPinsRequest": "target_label? string 1",
        "GetGpioNPinsResponse": "npins? int32 1",
    },
    {
        "get_gpio": "GetGpioRequest -> GetGpioResponse",
        "read": "GpioReadRequest -> GpioReadResponse",
        "write": "GpioWriteRequest -> GpioWriteResponse",
        "unexport": "GpioUnexportRequest -> GpioUnexportResponse",
        "is_exported": "GpioIsExportedRequest -> GpioIsExportedResponse",
        "get_gpio_base_path": "GetGpioBasePathRequest -> GetGpioBasePathResponse",
        "get_gpio_npins": "GetGpioNPinsRequest -> GetGpioNPinsResponse",
    },
)

DEVICE = Service(
    "remote_device",
    "RemoteDevice",
    {
        "ReadFileRequest": "file_path string 1",
        "ReadFileResponse": "data bytes 1",
        "WriteFileRequest": "file_path string 1, data bytes 2",
        "WriteFileResponse": "",
        "ExistsFileRequest": "file_path string 1",
        "ExistsFileResponse": "exists bool 1",
        "SetBitstreamAttrsRequest": "binfile_name string 1, partial bool 2",
        "SetBitstreamAttrsResponse": "status bool 1",
        "ShutdownRequest": "",
        "ShutdownResponse": "status bool 1",
        "SetPlClkRequest": "i int32 1, div0 int32 2, div1 int32 3, clk_mhz int32 4",
        "SetPlClkResponse": "status bool 1",
        "DownloadRequest": "buffer bytes 1",
        "DownloadResponse": "status bool 1",
    },
    {
        "set_bitstream_attrs": "SetBitstreamAttrsRequest -> SetBitstreamAttrsResponse",
        "download": "stream DownloadRequest -> DownloadResponse",
        "set_pl_clk": "SetPlClkRequest -> SetPlClkResponse",
        "shutdown": "ShutdownRequest -> ShutdownResponse",
        "readfile": "ReadFileRequest -> stream ReadFileResponse",
        "writefile": "stream WriteFileRequest -> WriteFileResponse",
        "existsfile": "ExistsFileRequest -> ExistsFileResponse",
    },
)
