"""The spoken login dialogue with real softphones: baresip and linphone, real RTP, keys by either way."""

import time

import pytest

from support.daemon import SECRETS, Daemon
from support.linphone import Linphone, linphone
from support.softphone import Softphone, baresip

KEYS = "201#471147#"
QUICK = {"dialogue": {"first_s": 60, "digit_s": 30}}


def logs_in(d, phone, press):
    phone.registered()
    phone.dial("*771")
    phone.event("CALL_ESTABLISHED")
    for key in KEYS:
        press(key)
        time.sleep(0.3)  # as a person would: a key is an event of 0.1 to 0.2 s
    d.until("logged in", lambda: d.sessions() == {"201": phone.user})
    phone.event("CALL_CLOSED", timeout=30)
    assert "login of 201 by dialogue: logged-in" in d.log()
    assert "471147" not in d.log()


def rtp_was_heard(d):
    text = d.admin("GET", "/metrics")[1]
    assert float(text.split('hotdeskd_rtp_total{kind="taken"} ')[1].split()[0]) > 10, text


@pytest.mark.skipif(not baresip(), reason="baresip is not installed")
def test_baresip():
    """Debian's sends no INFO: telephone-events only."""
    with Daemon(QUICK) as d, Softphone(d.address(), "desk-101", SECRETS["desk-101"]) as phone:
        logs_in(d, phone, lambda key: phone.command("sndcode", key))
        rtp_was_heard(d)


@pytest.mark.skipif(not linphone(), reason="linphone is not installed")
@pytest.mark.parametrize("way", ["rtpevent", "info"])
def test_linphone(way):
    more = f"\n[sip]\nuse_info={int(way == 'info')}\nuse_rfc2833={int(way != 'info')}\n"
    with Daemon(QUICK) as d, Linphone(d.address(), "desk-101", SECRETS["desk-101"], more=more) as phone:
        logs_in(d, phone, lambda key: phone.command("dtmf", key))
        if way == "rtpevent":  # without sound hardware it sends nothing else
            rtp_was_heard(d)
        infos = [m for m in phone.trace() if m.method == "INFO"]
        assert len(infos) == (len(KEYS) if way == "info" else 0)
