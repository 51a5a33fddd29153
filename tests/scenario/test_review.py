"""What a careful reader doubted: each of these was wrong once."""

import json
import pathlib
import signal
import socket
import subprocess

import pytest

from steps import answer_resyncs, login, sooner_or_later, talk
from support.daemon import BUILD, Daemon, UnixConnection
from support.sip import SDP, Phone, rand


def start_call(phone, number):
    """An INVITE with the challenge answered; what comes next is the test's."""
    call = phone.call(number, SDP)
    answer = phone.final("INVITE", call.call_id, call.cseq)
    assert answer.status == 407, repr(answer)
    call.ack_failure(answer)
    call.credentials = [phone.authorization(answer, "INVITE", call.uri)]
    call.send_initial()
    return call


def test_calls_leave_by_the_listener_of_the_registration():
    with Daemon({"sip": {"listen": ["udp:127.0.0.1:0", "udp:127.0.0.2:0"]}}) as d:
        second = int(d.status_file["listen"][1].rpartition(":")[2])
        callee = Phone(("127.0.0.2", second), "desk-102", "s3cret-102")
        d.phones.append(callee)
        callee.register()
        start_call(d.phone("desk-101", register=True), "desk-102")
        data, source = callee.sock.recvfrom(65536)
        assert data.startswith(b"INVITE ") and source == ("127.0.0.2", second), (source, data)


def test_alias_with_port():
    with Daemon({"sip": {"aliases": ["pbx.example:5080", "[2001:db8::1]:5080"]}}) as d:
        phone = d.phone("desk-101", register=True)
        for host, status in (("pbx.example:5080", 404), ("PBX.example:5080", 404),
                             ("[2001:db8::1]:5080", 404), ("pbx.example", 404)):
            call = phone.call(f"sip:nobody@{host}", SDP)
            assert call.final().status == status
        assert d.log().count("not our domain") == 1, "pbx.example without its port alone is not us"


def test_phone_at_an_aliased_address():
    """A softphone on our own machine: its Contact has our address and a port of its own."""
    with Daemon({"sip": {"aliases": ["127.0.0.1", "localhost"]}}) as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        talk(a, b, "desk-102")
        assert a.call("sip:nobody@localhost:5080", SDP).final().status == 404
        assert a.call("sip:nobody@127.0.0.1", SDP).final().status == 404
        assert "not our domain" not in d.log()
        assert a.call("sip:nobody@127.0.0.1:9", SDP).final().status == 404
        assert d.log().count("not our domain") == 1


def test_library_log_holds_no_pin():
    with Daemon({"sip": {"sofia_log_level": 9}}) as d:
        phone = d.phone("desk-101", register=True)
        assert login(phone, "201", "471147").status == 200
        answer_resyncs(phone)
        assert login(phone, "202", "%38%30%32%36%31%35").status in (200, 403)
        d.until("the library's line", lambda: "received INVITE sip:*xxx*xxx*" in d.log())
        for pin in ("471147", "%38%30%32"):
            assert pin not in d.log(), [line for line in d.log().splitlines() if pin in line]


def test_route_token_begins_no_call():
    """A token seen in one call vouches for that dialog, not for a request to anywhere."""
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        caller = start_call(a, "desk-102")
        invite = b.request("INVITE")
        stranger = Phone(d.address(), "stranger", None)
        victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        victim.bind(("127.0.0.1", 0))
        victim.settimeout(0.3)
        d.phones += [stranger]
        uri = "sip:victim@127.0.0.1:%d" % victim.getsockname()[1]
        headers = stranger.base("INVITE", uri, caller.call_id, 1, rand(4))
        headers += [("Route", invite.get("record-route")), ("Contact", stranger.contact)]
        stranger.send(f"INVITE {uri} SIP/2.0", headers)
        assert stranger.final("INVITE").status == 407
        with pytest.raises(TimeoutError):
            victim.recv(65536)
        victim.close()
        b.reply(invite, 486, "Busy Here", to_tag=rand(4))
        caller.ack_failure(a.wait("486", lambda m: m.status == 486))


def test_timer_c_runs_from_100():
    with Daemon({"sip": {"timer_c_s": 1, "t1_ms": 60, "t2_ms": 200, "t4_ms": 250}}) as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        call = start_call(a, "desk-102")
        invite = b.request("INVITE")
        b.reply(invite, 100, "Trying")
        cancel = b.request("CANCEL")
        b.reply(cancel, 200)
        b.reply(invite, 487, "Request Terminated", to_tag=rand(4))
        answer = a.wait("a final response", lambda m: m.status >= 300 and m.cseq_method == "INVITE")
        call.ack_failure(answer)
        d.until("nothing left open", lambda: d.admin("GET", "/v1/status")[1]["open_transactions"] == 0)


def test_stop_ends_what_rings():
    d = Daemon()
    with d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        start_call(a, "desk-102")
        b.reply(b.request("INVITE"), 180, "Ringing", to_tag=rand(4))
        a.wait("180", lambda m: m.status == 180)
        d.process.send_signal(signal.SIGTERM)
        assert a.wait("503", lambda m: m.status >= 300 and m.cseq_method == "INVITE").status == 503
        assert b.request("CANCEL")


def test_stop_with_logins_on_their_way():
    """What the store answers after the last turn of the control loop finds no SIP thread any more."""
    with Daemon() as d:
        d.phone("desk-101", register=True)
        asking = [UnixConnection(d.conf["admin"]["socket"]) for _ in range(20)]
        for c in asking:
            c.request("GET", "/v1/status")
            c.getresponse().read()
        d.process.send_signal(signal.SIGSTOP)  # so that all of it is there at once
        for n, c in enumerate(asking):
            c.request("POST", f"/v1/sessions/{('login', 'logout')[n % 2]}",
                      json.dumps({"user": "201", **({} if n % 2 else {"phone": "desk-101"})}))
        d.process.send_signal(signal.SIGTERM)
        d.process.send_signal(signal.SIGCONT)
        d.stop()
        assert "user 201: logged-in at desk-101" in d.log()


def test_info_before_ack_keeps_the_200_coming():
    with Daemon({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 250}}) as d:
        phone = d.phone("desk-101", register=True)
        call = start_call(phone, "*771")
        ok = phone.wait("200", lambda m: m.status == 200 and m.cseq_method == "INVITE")
        headers = phone.base("INFO", call.uri, call.call_id, call.cseq + 1, call.local_tag,
                             ok.tag("to"))
        phone.send(f"INFO sip:*771*201*000000@{phone.domain} SIP/2.0", headers)
        assert phone.final("INFO").status == 403
        phone.inbox.clear()
        phone.wait("the 200 again", lambda m: m.status == 200 and m.cseq_method == "INVITE")
        phone.request("BYE")


def reload(d, **sip):
    d.conf["sip"].update(sip)
    d.write_conf()
    status, report = d.admin("POST", "/v1/reload")
    assert status == 200, report
    return report["report"] if isinstance(report, dict) else report


def test_reload_says_what_it_does():
    with Daemon() as d:
        phone = d.phone("desk-101", register=True)
        report = reload(d, header_max=16, t1_ms=400)
        changed, restart = [line for line in report.splitlines() if line][:2]
        assert "sip.header_max" in changed and "sip.t1_ms" in restart, report
        many = [("X-Fill", str(i)) for i in range(20)]
        d.until("header_max in effect",
                lambda: phone.register(extra=many, expect=None).status == 400)
        d.conf["run"]["status_file"] = str(d.folder / "other.json")
        assert "run.status_file" in reload(d)
        (d.folder / "other.json").write_text("somebody's")
        d.stop()
        assert (d.folder / "other.json").exists(), "a file that is not ours was removed"
        assert not (d.folder / "status.json").exists()


def test_failing_start_leaves_the_status_of_another():
    with Daemon() as d:
        r = subprocess.run([BUILD / "bin/hotdeskd", "--allow-root", "-c", d.folder / "hotdeskd.yaml"],
                           capture_output=True, timeout=60)
        assert r.returncode == 1, r.stderr
        assert json.loads((d.folder / "status.json").read_text())["pid"] == d.process.pid


def ignores_hangup(pid):
    """Ignored, blocked or caught: until then it is as deadly as before main()."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return any(int(line.split()[1], 16) & 1 for line in status.splitlines() if line.startswith(("SigIgn", "SigBlk", "SigCgt")))


def test_sighup_while_starting():
    users = "".join(f'  - {{number: "{n}", name: U, pin: "58{n}3"}}\n' for n in range(1241, 1253))

    def while_starting():
        """the signal came before the daemon was ready"""
        d = Daemon({"pin": {"memory_kib": 65536}}, directory="users:\n" + users)
        d.start(wait=False)
        d.until("SIGHUP does not end it", lambda: ignores_hangup(d.process.pid) or d.process.poll() is not None)
        d.process.send_signal(signal.SIGHUP)
        starting = "daemon: ready" not in d.log()
        d.until("ready", lambda: "daemon: ready" in d.log() or d.process.poll() is not None)
        d.stop()
        return starting
    sooner_or_later(while_starting)
