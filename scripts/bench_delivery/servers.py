"""The servers that mail is sent to, and the wire before them. Each lives as long as its `with`."""

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

from publication import Failed


class Server:
    """A child process with a port."""

    def __init__(self, command, port=None):
        self.command, self.port = list(map(str, command)), port

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if self.port is None:
                self.port = int(self.child.stdout.readline())
            else:
                wait_for(self.port)
        except (Failed, ValueError) as error:
            self.child.kill()
            raise Failed(f"{self.command[0]} does not listen: {error}") from error
        return self

    def __exit__(self, *_):
        self.stop()
        self.told = self.child.communicate(timeout=30)[0]

    def stop(self):
        """Asks it to end."""
        self.child.stdin.close()
        self.child.stdin = None

    def check(self, messages):
        """Fails when the server knows that it did not get so many."""


class SmtpSink(Server):
    """Postfix's sink, as it comes: PIPELINING, no CHUNKING. It counts nothing unless it prints it."""

    def __init__(self):
        port = free_port()
        super().__init__(["smtp-sink", "-4", "-u", "nobody", f"127.0.0.1:{port}", "256"], port)

    def stop(self):
        super().stop()
        self.child.send_signal(signal.SIGTERM)


class Nobody:
    """For what sends nothing."""

    port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def check(self, messages):
        pass


class OurSink(Server):
    """The tests' relay, counting."""

    def __init__(self, program, *offers):
        super().__init__([program, *offers])

    def check(self, messages):
        accepted = json.loads(self.told.splitlines()[-1])["accepted"]
        if accepted != messages:
            raise Failed(f"{accepted} of {messages} messages arrived")


class Proxy(Server):
    """A wire that delays each direction by so many milliseconds."""

    def __init__(self, program, target, delay):
        super().__init__([program, target, delay])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    """Returns when somebody listens, without connecting: a connection would be counted."""
    for _ in range(500):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if local.endswith(f":{port:04X}") and state == "0A":
                return
        time.sleep(0.01)
    raise Failed(f"nobody listens on port {port}")
