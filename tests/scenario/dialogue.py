"""Steps of the spoken login dialogue that several scenarios share."""

import contextlib

from support.daemon import Daemon
from support.rtp import PROMPTS, RtpPeer, short_prompts

REASON = 'SIP;cause=403;text="Not possible"'


@contextlib.contextmanager
def office(conf=None, peer=RtpPeer, spoken=False, directory=None, **more):
    """A daemon, a registered phone and its RTP; spoken: the real prompts, or a folder; else short ones."""
    d = Daemon(conf, **({"directory": directory} if directory else {}))
    prompts = PROMPTS if spoken is True else spoken or short_prompts(d.folder / "prompts")
    d.conf["dialogue"]["prompts"] = str(prompts)
    with d, peer(prompts=prompts, **more) as rtp:
        yield d, d.phone("desk-101", register=True), rtp


def dial(phone, rtp, code="*771", **offer):
    """The code is dialled and the call stands."""
    call = phone.call(f"sip:{code}@hotdesk.test", rtp.sdp(**offer))
    answer = call.final()
    assert answer.status == 200, repr(answer)
    rtp.follow(answer)
    call.ack()
    return call


def ends(phone, reason=None):
    bye = phone.request("BYE", timeout=30)
    assert bye.get("reason") == reason, repr(bye)
    phone.reply(bye, 200)


def info(call, digit, kind="dtmf-relay"):
    body = f"Signal={digit}\r\nDuration=160\r\n" if kind == "dtmf-relay" else digit
    call.in_dialog("INFO", [("Content-Type", f"application/{kind}")], body)
    assert call.phone.final("INFO", cseq=call.cseq).status == 200


def settled(d, rtp):
    """Waits until the daemon has read what was sent to it: a burst larger than its buffer is cut by the system."""
    def count():
        return [line for line in d.admin("GET", "/metrics")[1].splitlines() if line.startswith("hotdeskd_rtp_total")]
    last = None
    while (now := count()) != last:
        last = now
        rtp.wait_packets(5, rtp.mark())
