"""What users set by code at the phone where they are: done at once, told at once, kept while logged out."""

import pytest

from plant import plant
from steps import by_code, login, refuse
from support.sip import SDP

CSTA = "http://www.ecma-international.org/standards/ecma-323/csta/ed3"


@pytest.fixture(scope="module")
def d():
    with plant({"plan": {"voicemail": "p999"}}) as daemon:
        daemon.a, daemon.b = daemon.phones_of(2)
        assert login(daemon.a, "201", "471147").status == 200
        yield daemon


def user(d, number="201"):
    status, answer = d.admin("GET", f"/v1/users/{number}")
    assert status == 200
    return {k: answer[k] for k in ("dnd", "forward_always", "forward_busy", "forward_no_answer",
                                   "forward_not_logged_in", "rings")}


NOTHING = {"dnd": False, "forward_always": None, "forward_busy": None, "forward_no_answer": None,
           "forward_not_logged_in": None, "rings": 3}


def done(d, code, **changed):
    before = user(d)
    answer = by_code(d.a, code)
    assert answer.status == 200, repr(answer)
    assert answer.get("contact").startswith(f"<sip:{code[:3]}@"), answer.get("contact")
    assert user(d) == {**before, **changed}


def test_do_not_disturb(d):
    done(d, "*78", dnd=True)
    assert d.b.call("201", SDP).challenge().final().status == 486
    done(d, "*79", dnd=False)
    done(d, "*76", dnd=True)
    done(d, "*76%23", dnd=False)
    d.until("the log", lambda: f"201: do not disturb on by code at {d.a.user}" in d.log())


@pytest.mark.parametrize("on,off,what", [("*72", "*73", "forward_always"), ("*90", "*91", "forward_busy"),
                                         ("*92", "*93", "forward_no_answer"),
                                         ("*94", "*95", "forward_not_logged_in")])
def test_forwarding(d, on, off, what):
    assert user(d) == NOTHING
    done(d, on, **{what: "voicemail"})  # there is no number yet
    done(d, f"{on}202", **{what: "202"})
    done(d, off, **{what: None})
    done(d, on, **{what: "202"})  # that of the last time
    done(d, f"{on}*0891234%23", **{what: "0891234"})
    done(d, off, **{what: None})


def test_refused(d):
    for code in ("*72201", "*72*", "*9621", "*960", "*96", "*78*1", "*72anna"):
        assert by_code(d.a, code).status == 403, code
    assert user(d) == NOTHING
    assert by_code(d.b, "*78").status == 403, "nobody is logged in there"
    assert d.a.call("*78", method="OPTIONS").challenge().final().status == 200
    assert d.a.call("*78", method="MESSAGE", body="x").challenge().final().status == 405


def keys(d):
    status, answer = d.admin("GET", "/v1/users/201/keys")
    assert status == 200
    return [(k["place"], k["type"], k["label"], k["value"], k.get("own")) for k in answer["keys"]]


def test_speed_dials(d):
    d.ctl("user", "set-key", "201", "7", "--type", "blf", "--value", "202")
    given = (7, "blf", None, "202", None)
    for code in ("*755*0891234", "*75*6**8#", "*756*202%23", "*757*202"):
        assert by_code(d.a, code).status == 200, code
    assert keys(d) == [given, (5, "speed-dial", None, "0891234", True), (6, "speed-dial", None, "202", True),
                       (7, "speed-dial", None, "202", True)]
    for code in ("*75", "*750*1", "*75121*1", "*75*5*", "*758", "*75x"):
        assert by_code(d.a, code).status == 403, code
    for code in ("*755", "*756", "*757"):
        assert by_code(d.a, code).status == 200, code
    assert keys(d) == [given], "those of the administrator stay"
    assert by_code(d.a, "*757").status == 403
    assert by_code(d.b, "*755*202").status == 403, "nobody is logged in there"


def test_the_phone_shows_it_at_once(d):
    c = d.phone(register=True)

    def told():
        notify = c.wait("NOTIFY", lambda m: m.method == "NOTIFY" and "check-sync" in m.get("event"))
        c.reply(notify, 200)

    assert login(c, "202", "802615").status == 200
    told()
    assert by_code(c, "*755*201").status == 200
    told()
    assert by_code(c, "*755").status == 200
    told()


def test_forbidden_targets(d):
    """The class of who sets it is asked at once."""
    d.ctl("user", "set", "201", "--class", "house")
    for code in ("*72*0033123", "*94*0891234", "*755*0891234"):
        answer = by_code(d.a, code)
        assert answer.status == 403 and answer.start.endswith(" Not Allowed By Class Of Service"), repr(answer)
        assert "class of service" in answer.get("warning"), repr(answer)
    assert by_code(d.a, "*72*771*201*471147").status == 403
    assert user(d)["forward_always"] is None and user(d)["forward_not_logged_in"] is None
    d.ctl("user", "set", "201", "--class", "")
    done(d, "*72*0891234", forward_always="0891234")
    done(d, "*73", forward_always=None)
    d.ctl("user", "set", "201", "--class", "house")
    assert by_code(d.a, "*72").status == 403, "nor that of the last time"
    d.ctl("user", "set", "201", "--class", "")


def test_audit(d):
    status, answer = d.admin("GET", "/v1/audit?limit=1000")
    before = len(answer["audit"])
    for code in ("*78", "*76", "*90*202", "*91", "*967", "*963", "*755**8", "*755"):
        assert by_code(d.a, code).status == 200
    assert by_code(d.a, "*72201").status == 403
    status, answer = d.admin("GET", "/v1/audit?limit=1000")
    news = answer["audit"][before:]
    assert [(e["what"], e["to"]) for e in news] == [
        ("do not disturb on", None), ("do not disturb off", None), ("forward busy on", "202"), ("forward busy off", None),
        ("7 rings", None), ("3 rings", None), ("speed dial 5", "*..."), ("no key 5", "*...")]
    assert {(e["event"], e["user"], e["phone"], e["way"]) for e in news} == {("setting", "201", d.a.user, "invite")}
    pages, after = [], ""
    while after is not None:
        status, page = d.admin("GET", f"/v1/audit?limit=3&after={after}")
        pages, after = pages + page["audit"], page["next"]
    assert pages == answer["audit"]
    assert "do not disturb on" in d.ctl("audit").stdout


def test_rings_and_info(d):
    done(d, "*967", rings=7)
    done(d, "*96*3", rings=3)
    assert d.a.call("*76", method="INFO").challenge().final().status == 200
    assert user(d)["dnd"]
    assert d.a.call("*76", method="INFO").challenge().final().status == 200
    assert user(d) == NOTHING


def test_phones_are_told(d):
    subscription = d.a.call(d.a.user, method="SUBSCRIBE",
                       extra=[("Event", "as-feature-event"), ("Expires", "600"),
                              ("Accept", "application/x-as-feature-event+xml")]).challenge()
    assert subscription.final().status == 200
    d.a.reply(d.a.wait("NOTIFY", lambda m: m.method == "NOTIFY" and m.get("event") == "as-feature-event"), 200)
    assert by_code(d.a, "*78").status == 200
    notify = d.a.wait("NOTIFY", lambda m: m.method == "NOTIFY" and b"doNotDisturbOn" in m.body)
    assert b"<doNotDisturbOn>true</doNotDisturbOn>" in notify.body
    d.a.reply(notify, 200)
    assert by_code(d.a, "*79").status == 200
    d.a.reply(d.a.wait("NOTIFY", lambda m: m.method == "NOTIFY" and b"false</doNotDisturbOn>" in m.body), 200)


def test_kept_while_logged_out(d):
    assert by_code(d.a, "*94*202").status == 200
    assert by_code(d.a, "*772").status == 200
    assert user(d)["forward_not_logged_in"] == "202"
    assert by_code(d.a, "*95").status == 403
    assert login(d.b, "201", "471147").status == 200
    assert by_code(d.b, "*95").status == 200
    assert user(d) == NOTHING


def test_switched_off(d):
    d.conf["codes"] = {"dnd_toggle": "", "dnd_on": "*60", "forward_always": "#72"}
    d.write_conf()
    d.ctl("reload")
    assert by_code(d.b, "*60").status == 200
    assert user(d)["dnd"]
    assert by_code(d.b, "*79").status == 200
    for code in ("*76", "*78"):
        assert by_code(d.b, code).status == 404
    d.conf["codes"] = {"pickup": "*77"}
    d.write_conf()
    refused = d.ctl("reload", check=False)
    assert refused.returncode and 'cannot be told from' in refused.stdout + refused.stderr
