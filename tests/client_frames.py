"""The frames of a WebSocket client, in bytes (RFC 6455, 5.2)."""

from seatcast.gateway.frames import unmasked

KEY = b"\x9a\x02\xff\x47"


def masked(opcode, payload=b"", fin=True, reserved=0, key=KEY):
    """Return a frame; `reserved` are its three reserved bits as a number."""
    size = len(payload)
    length = (
        bytes([0x80 | size]) if size < 126
        else b"\xfe" + size.to_bytes(2, "big") if size < 65_536
        else b"\xff" + size.to_bytes(8, "big")
    )  # fmt: skip
    return bytes([0x80 * fin | reserved << 4 | opcode]) + length + key + unmasked(payload, key)
