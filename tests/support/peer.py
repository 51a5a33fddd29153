"""A PBX behind the daemon whose every message a test writes itself."""

from .sip import Phone


class Peer(Phone):
    """At an address of its own; the daemon is what it calls."""

    def __init__(self, host):
        super().__init__(None, "pbx", None, host=host)
        self.domain = "hotdesk.test"

    def line(self, name, more="", host=None):
        """Its entry in upstream.peers."""
        return f"{name} sip:{host or self.host}:{self.port} from={self.host} probe=0 {more}".strip()
