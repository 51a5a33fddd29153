"""What happens while people talk: logins, reloads, restarts, phones that get another address."""

import signal

import pytest

from plant import plant
from steps import again, connect, hang_up, no_more, ring
from support.sip import SDP, rand


def quick(**registrar):
    return {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}, "registrar": {"expires_min_s": 1, **registrar}}


@pytest.fixture(scope="module")
def d():
    with plant(quick(), tls=True) as daemon:
        yield daemon


def speak(call, leg):
    """Both sides say something, in a transaction of its own and in a re-INVITE."""
    for one, other in ((call, leg), (leg, call)):
        one.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        other.phone.reply(other.phone.request("INFO"), 200)
        assert one.phone.final("INFO", one.call_id, one.cseq).status == 200
    again(call, leg, SDP + b"a=sendonly\r\n")
    again(leg, call, SDP + b"a=sendrecv\r\n")


def sees_resync(d, phone):
    """Answers the NOTIFYs that a login or logout causes."""
    for _ in range(2):
        phone.pump(0.1)
        for notify in [m for m in phone.inbox if m.method == "NOTIFY"]:
            phone.inbox.remove(notify)
            phone.reply(notify, 200)


# ---- logins and logouts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["caller", "callee"])
def test_login_elsewhere_and_logout(d, whose):
    a, b, c = d.phones_of(3)
    mine = a if whose == "caller" else b
    d.ctl("session", "login", "201", mine.user)
    call, leg = connect(a, b, "201" if whose == "callee" else b.user)
    speak(call, leg)
    d.ctl("session", "login", "201", c.user)
    speak(call, leg)
    other, other_leg = ring(a, c, "201")
    d.ctl("session", "logout", "201")
    speak(call, leg)
    other_leg.answer(200)
    assert other.final().status == 200
    other.ack()
    c.request("ACK")
    assert a.call("201", SDP).final().status == 480, "who calls now hears that nobody is there"
    hang_up(other, other_leg)
    hang_up(leg, call)
    for phone in (a, b, c):
        sees_resync(d, phone)


def test_phone_and_user_that_are_removed(d):
    """Who is in a call may finish it, whatever happens to the directory."""
    a, b = d.phones_of(2)
    d.ctl("session", "login", "202", b.user)
    call, leg = connect(a, b, "202")
    d.ctl("session", "logout", "202")
    d.ctl("phone", "remove", b.user)
    speak(call, leg)
    hang_up(call, leg)
    assert a.call(b.user, SDP).final().status == 404


# ---- reload ------------------------------------------------------------------------------------------------


def test_reload(d):
    a, b, c, e = d.phones_of(4)
    calls = [connect(a, b, b.user), ring(c, e, e.user)]
    for maximum in (600, 7200):
        d.conf["registrar"].update(expires_max_s=maximum, expires_default_s=600)
        d.conf["sip"]["aliases"] = [f"x{maximum}.example"]
        d.write_conf()
        d.process.send_signal(signal.SIGHUP)
        d.until("reloaded", lambda: f"expires={min(maximum, 3600)}" in register(a))
        speak(*calls[0])
    hang_up(*calls[0])
    call, leg = calls[1]
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    e.request("ACK")
    speak(call, leg)
    hang_up(leg, call)


def register(phone):
    return phone.register(expires=3600).get("contact")


def test_reload_that_is_refused(d):
    a, b = d.phones_of(2)
    call, leg = connect(a, b, b.user)
    (d.folder / "hotdeskd.yaml").write_text("sip: {domain: [}\n")
    assert d.ctl("reload", check=False).returncode == 1
    d.write_conf()
    d.ctl("reload")
    speak(call, leg)
    hang_up(call, leg)


# ---- a phone that moves ------------------------------------------------------------------------------------


def sides(d, transport, behind):
    """Two phones on one transport; behind: a NAT stands in front of them."""
    return [d.phone(transport=transport, register=True,
                    **({"behind": ("10.1.2.3", 5060)} if behind else {})) for _ in range(2)]


def move(d, side, close=True, **more):
    """The phone of a side gets another address and registers from there, as the same device."""
    old = side.phone
    new = d.phone(old.user, transport=old.transport, **more)
    new.call_id, new.cseq = old.call_id, old.cseq
    if close and old.transport != "udp":
        old.close()
    new.register()
    side.phone = new
    return old, new


KINDS = [("udp", False), ("udp", True), ("tcp", False), ("tcp", True), ("tls", False)]


@pytest.mark.parametrize("transport,behind", KINDS)
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_moved_phone_goes_on(d, transport, behind, who):
    """It registers from its new address and neither side sends a re-INVITE before the next request."""
    a, b = sides(d, transport, behind)
    call, leg = connect(a, b, b.user)
    one, other = (call, leg) if who == "caller" else (leg, call)
    old, new = move(d, one, **({"behind": ("10.1.2.4", 5062)} if behind else {}))
    other.in_dialog("INFO", [("Content-Type", "text/plain")], "are you there?")
    info = new.request("INFO")
    assert info.ruri == old.contact.strip("<>"), "within a dialog nobody but its ends sets the target"
    new.reply(info, 200)
    assert other.phone.final("INFO", cseq=other.cseq).status == 200
    one.in_dialog("INFO", [("Content-Type", "text/plain")], "yes")
    other.phone.reply(other.phone.request("INFO"), 200)
    assert new.final("INFO", cseq=one.cseq).status == 200
    other.in_dialog("BYE")
    new.reply(new.request("BYE"), 200)
    assert other.phone.final("BYE").status == 200
    if transport == "udp":
        no_more(old, "request at the old address", lambda m: m.method)


@pytest.mark.parametrize("transport,behind", KINDS)
def test_moved_phone_tells_its_peer(d, transport, behind):
    """The new Contact in a re-INVITE counts, before and after the phone has registered."""
    a, b = sides(d, transport, behind)
    call, leg = connect(a, b, b.user)
    old, new = move(d, call, **({"behind": ("10.1.2.4", 5062)} if behind else {}))
    again(call, leg, SDP)
    leg.remote = new.contact.strip("<>")
    speak(call, leg)
    hang_up(leg, call)
    if transport == "udp":
        no_more(old, "request at the old address", lambda m: m.method)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_nat_that_forgot_its_mapping(d, transport, who):
    """The Contact is what it was, the packets come from elsewhere."""
    a, b = (d.phone(transport=transport, register=True, behind=("10.1.2.3", 5060)) for _ in range(2))
    call, leg = connect(a, b, b.user)
    one, other = (call, leg) if who == "caller" else (leg, call)
    old, _ = move(d, one, behind=("10.1.2.3", 5060))
    speak(other, one)
    hang_up(other, one)
    if transport == "udp":
        no_more(old, "request at the old address", lambda m: m.method)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_connection_that_nobody_closed(d, transport, who):
    """A phone that lost its network cannot close what it had; it counts where it registered last."""
    a, b = sides(d, transport, False)
    call, leg = connect(a, b, b.user)
    one, other = (call, leg) if who == "caller" else (leg, call)
    old, new = move(d, one, close=False)
    other.in_dialog("INFO", [("Content-Type", "text/plain")], "are you there?")
    new.reply(new.request("INFO"), 200)
    assert other.phone.final("INFO", cseq=other.cseq).status == 200
    hang_up(other, one)
    no_more(old, "request on the old connection", lambda m: m.method)


def test_caller_that_is_not_registered_moves_nowhere(d):
    """Another device may have registered with the same account meanwhile."""
    a, b = d.phone(), d.phone(register=True)
    call, leg = connect(a, b, b.user)
    other = d.phone(a.user, register=True)
    speak(call, leg)
    hang_up(leg, call)
    no_more(other, "request", lambda m: m.method)


def test_both_move_and_one_moves_twice(d):
    a, b = sides(d, "udp", True)
    call, leg = connect(a, b, b.user)
    move(d, call, behind=("10.1.2.4", 5062))
    move(d, leg, behind=("10.1.2.5", 5063))
    speak(call, leg)
    move(d, call, behind=("10.1.2.3", 5060))
    speak(call, leg)
    hang_up(leg, call)


def test_phone_that_only_refreshes_has_not_moved(d):
    a, b = sides(d, "udp", False)
    call, leg = connect(a, b, b.user)
    b.register()
    a.register(expires=0)
    speak(call, leg)
    hang_up(leg, call)


def test_another_device_of_the_same_account_is_not_the_one_that_talks():
    with plant(quick(contacts_max=3)) as d:
        caller, a = d.phone(register=True), d.phone()
        a.register(extra=[("X", rand())])
        call, leg = connect(caller, a, a.user)
        other = d.phone(a.user, register=True)
        speak(call, leg)
        hang_up(call, leg)
        no_more(other, "request", lambda m: m.method)


# ---- restart -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kill", [False, True])
def test_restart(kill):
    with plant(quick()) as d:
        def behind():
            return d.phone(register=True, behind=("10.1.2.3", 5060))
        pairs = [d.phones_of(2), (behind(), behind())]
        d.ctl("session", "login", "201", pairs[0][1].user)
        calls = [connect(a, b, "201" if b is pairs[0][1] else b.user) for a, b in pairs]
        calls += [connect(a, b, b.user) for a, b in pairs]
        d.restart(kill=kill)
        for call, leg in calls:
            speak(call, leg)
        for i, (call, leg) in enumerate(calls):
            hang_up(*((call, leg) if i % 2 else (leg, call)))
        assert d.sessions() == {"201": pairs[0][1].user}


@pytest.mark.parametrize("kill", [False, True])
def test_restart_and_phones_on_streams(kill):
    with plant(quick(), tls=True) as d:
        ends = {t: [d.phone(transport=t, register=True) for _ in range(2)] for t in ("tcp", "tls")}
        calls = [connect(a, b, b.user) for a, b in ends.values()]
        d.restart(kill=kill)
        for call, leg in calls:
            for side in (call, leg):
                move(d, side)
            call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
            leg.phone.reply(leg.phone.request("INFO"), 200)
            assert call.phone.final("INFO", cseq=call.cseq).status == 200
        for i, (call, leg) in enumerate(calls):
            hang_up(*((call, leg) if i % 2 else (leg, call)))


def test_restart_and_a_phone_that_moves_meanwhile():
    with plant(quick()) as d:
        a, b = d.phones_of(2)
        call, leg = connect(a, b, b.user)
        d.restart(kill=True)
        move(d, leg)
        d.restart(kill=False)
        call.in_dialog("BYE")
        leg.phone.reply(leg.phone.request("BYE"), 200)
        assert a.final("BYE").status == 200
