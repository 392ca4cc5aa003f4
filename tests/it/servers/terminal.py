"""Runs `terminal.py PROGRAM ARGUMENT...` in a terminal of its own.

What the terminal shows goes to the standard output. A line of the standard input is JSON: {"text": .., "echo": true}
types the text once the terminal echoes what is typed, {"text": .., "echo": false} once it does not. At the end one line
on the standard error tells how the program ended and whether the terminal echoes. The terminal is as large as LINES and
COLUMNS say, where they are set.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

child, terminal = pty.fork()
if child == 0:
    if "LINES" in os.environ:
        size = struct.pack("HHHH", int(os.environ["LINES"]), int(os.environ["COLUMNS"]), 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    os.execv(sys.argv[1], sys.argv[1:])


def echoes():
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


orders, line = [], b""
while True:
    ready = select.select([terminal, 0], [], [], 0.01)[0]
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            shown = b""
        if not shown:
            break
        os.write(1, shown)
    if 0 in ready:
        typed = os.read(0, 65536)
        if not typed:
            os.kill(child, signal.SIGKILL)
            break
        *whole, line = (line + typed).split(b"\n")
        orders += map(json.loads, whole)
    while orders and orders[0]["echo"] == echoes():
        os.write(terminal, orders.pop(0)["text"].encode())

code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps({"code": code, "echoes": echoes()}), file=sys.stderr)
