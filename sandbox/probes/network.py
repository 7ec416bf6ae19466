"""Can it speak to anything but its own two processes and its channel?"""

from __future__ import annotations

import os
import socket

from sandbox.canary import NOBODY, NOWHERE, ROOT, USER, Planted, add, call, only_if, probe, reaches

STREAM, DGRAM, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW
FAMILIES = {
    "ax25": 3, "ipx": 4, "appletalk": 5, "x25": 9, "key": 15, "packet": 17, "rds": 21, "pppox": 24, "llc": 26, "ib": 27,
    "can": 29, "tipc": 30, "bluetooth": 31, "rxrpc": 33, "phonet": 35, "ieee802154": 36, "caif": 37, "alg": 38, "nfc": 39,
    "vsock": 40, "kcm": 41, "qipcrtr": 42, "smc": 43, "xdp": 44, "mctp": 45,
}  # fmt: skip
PROTOCOLS = {"packet": "PACKET", "vsock": "AF_VSOCK", "xdp": "XDP", "inet6 tcp": "TCPv6", "inet6 udp": "UDPv6"}
"""How a kernel that has a family lists it (/proc/net/protocols). Outside only these are tried, and where they are listed:
to ask for another has the kernel look for a driver, and load it."""


def opens(name: str, row: int, control: str, family: int, kind: int, protocol: int = 0) -> None:
    def attempt(planted: Planted) -> None:
        with socket.socket(family, kind, protocol):
            pass

    add(f"open a socket: {name}", row, attempt, control)


opens("inet tcp", 7, USER, socket.AF_INET, STREAM)
opens("inet udp", 7, USER, socket.AF_INET, DGRAM)
opens("inet raw", 7, ROOT, socket.AF_INET, RAW, 1)
opens("inet6 tcp", 7, ROOT, socket.AF_INET6, STREAM)
opens("inet6 udp", 7, ROOT, socket.AF_INET6, DGRAM)
opens("netlink route", 8, USER, 16, RAW)
opens("netlink audit", 8, ROOT, 16, RAW, 9)
opens("netlink uevent", 8, USER, 16, RAW, 15)
opens("netlink generic", 8, USER, 16, RAW, 16)
for family_name, number in FAMILIES.items():
    kind = RAW if family_name in ("packet", "key", "can", "xdp") else STREAM
    opens(family_name, 9, ROOT if family_name in PROTOCOLS else NOBODY, number, kind)
opens("unix datagram", 14, USER, socket.AF_UNIX, DGRAM)
opens("unix seqpacket", 14, USER, socket.AF_UNIX, socket.SOCK_SEQPACKET)


@probe(10, USER)
def hide_a_family_in_high_bits(planted: Planted) -> None:
    call("socket", 0x1_0000_0002, 1, 0)


@probe(10, USER)
def make_a_pair_of_network_sockets(planted: Planted) -> None:
    try:
        socket.socketpair(socket.AF_INET)
    except OSError as refused:
        only_if(refused.errno == 95)  # EOPNOTSUPP: the network was asked


@probe(11, USER)
def resolve_a_name(planted: Planted) -> None:
    socket.getaddrinfo("localhost", 80)


@probe(11, USER)
def connect_to_a_loopback_listener(planted: Planted) -> None:
    socket.create_connection(("127.0.0.1", planted["port"]), timeout=2)


@probe(11, USER)
def listen_on_the_machine(planted: Planted) -> None:
    socket.create_server(("127.0.0.1", 0)).close()


@probe(12, USER)
def connect_to_an_abstract_socket(planted: Planted) -> None:
    socket.socket(socket.AF_UNIX).connect("\0" + planted["abstract"])


@probe(13, USER)
def connect_to_a_socket_by_path(planted: Planted) -> None:
    socket.socket(socket.AF_UNIX).connect(planted["path"])


@probe(45, USER)
def pass_a_descriptor_over_a_socket(planted: Planted) -> None:
    here, _there = socket.socketpair()
    socket.send_fds(here, [b"x"], [0])


@probe(45, USER)
def claim_to_be_a_process_over_a_socket(planted: Planted) -> None:
    here, _there = socket.socketpair()
    who = b"".join(n.to_bytes(4, "little") for n in (os.getpid(), os.getuid(), os.getgid()))
    here.sendmsg([b"x"], [(socket.SOL_SOCKET, 2, who)])  # SCM_CREDENTIALS


reaches(45, USER, sendmsg=(-1, NOWHERE, 0), sendmmsg=(-1, NOWHERE, 0, 0))
