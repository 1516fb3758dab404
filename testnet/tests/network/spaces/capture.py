"""Prints address and port of every packet that leaves this machine, and of every DNS question on it, each once.

It reads all network interfaces by AF_PACKET, and ends when it is killed.
"""

import ipaddress
import socket
import struct
import sys

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def destination(packet: bytes) -> tuple[str, int]:
    """Destination address and port of an IP packet; port 0 for protocols without ports."""
    if packet[0] >> 4 == 4:
        header, protocol, address = 4 * (packet[0] & 15), packet[9], packet[16:20]
    else:
        header, protocol, address = 40, packet[6], packet[24:40]
    with_ports = protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP) and len(packet) >= header + 4
    port = struct.unpack("!H", packet[header + 2 : header + 4])[0] if with_ports else 0
    return str(ipaddress.ip_address(address)), port


def main() -> None:
    """Reads until it is killed."""
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    print("capturing", flush=True)
    seen = set()
    while True:
        packet, (interface, protocol, kind, *_) = capture.recvfrom(65535)
        if protocol not in (0x0800, 0x86DD) or kind != PACKET_OUTGOING:
            continue
        address, port = destination(packet)
        if (interface != "lo" or port == 53) and (address, port) not in seen:
            seen.add((address, port))
            print(f"{address} {port}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
