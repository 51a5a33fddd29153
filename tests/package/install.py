#!/usr/bin/env python3
"""Install, start, use, upgrade, remove and purge the package in a root folder of its own.

    install.py FOLDER      with the .deb in FOLDER

The root is an overlay of / in private mount, process and network namespaces: what dpkg
writes goes to memory and is gone afterwards, and ports do not meet those of the host.
Needs root; exit 77 (skipped) where the kernel does not let us.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

SKIP = 77
ROOT_OF_DEB = "/root/hotdeskd.deb"
CONF = "/etc/hotdeskd/hotdeskd.yaml"
LINK = "/etc/systemd/system/multi-user.target.wants/hotdeskd.service"
UNIT = "/lib/systemd/system/hotdeskd.service"
OPTIONS = ("OPTIONS sip:hotdesk.local SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};"
           "branch=z9hG4bKpackage;rport\r\nMax-Forwards: 70\r\nFrom: <sip:probe@hotdesk.local>;"
           "tag=1\r\nTo: <sip:hotdesk.local>\r\nCall-ID: package@127.0.0.1\r\nCSeq: 1 OPTIONS\r\n"
           "Content-Length: 0\r\n\r\n")
DIRECTORY = """users:
  - {number: "201", name: Anna Berg, pin: "471147", roaming: true}
phones:
  - {id: desk-101, secret: s3cret-101, label: Desk 101}
"""


class Failed(Exception):
    pass


def expect(good, what):
    if not good:
        raise Failed(what)
    print("ok:", what, flush=True)


def run(*command, **options):
    """Run to the end, return its output; Failed if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=60, **options)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


# ---- outside -----------------------------------------------------------------------------

def outside(folder):
    debs = sorted(pathlib.Path(folder).glob("hotdeskd_*.deb"))
    if not debs:
        raise Failed(f"no package in {folder}")
    if os.geteuid() != 0:
        skip("a root folder of its own needs root")
    for tool in ("unshare", "dpkg", "setpriv"):
        if not shutil.which(tool):
            skip(f"no {tool}")
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts"]
    if subprocess.run([*spaces, "true"], check=False, capture_output=True).returncode:
        skip("namespaces are not permitted here")
    return subprocess.run([*spaces, sys.executable, "-B", __file__, "--inside", str(debs[-1])],
                          check=False).returncode


def make_root(deb):
    """An overlay of /; returns (root, folder of what was written)."""
    base = pathlib.Path("/mnt")
    try:
        run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(base))
        for name in ("upper", "work", "root"):
            (base / name).mkdir()
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir=/,upperdir={base}/upper,workdir={base}/work", str(base / "root"))
        root = base / "root"
        run("mount", "-t", "proc", "proc", str(root / "proc"))
        # The kernel's settings are the host's: postinst must not change them from here.
        run("mount", "--bind", "-o", "ro", str(root / "proc/sys"), str(root / "proc/sys"))
        run("mount", "--rbind", "/dev", str(root / "dev"))
        for name in ("run", "tmp"):
            run("mount", "-t", "tmpfs", "-o", "mode=1777" if name == "tmp" else "mode=755",
                "tmpfs", str(root / name))
        run("ip", "link", "set", "lo", "up")
    except Failed as error:
        skip(f"no root folder: {error}")
    shutil.copy(deb, str(root) + ROOT_OF_DEB)
    return root, base / "upper"


# ---- inside ------------------------------------------------------------------------------

def allowed_calls():
    """The system calls that the unit leaves us, or None."""
    def group(name):
        names = set()
        out = run("systemd-analyze", "syscall-filter", "--no-pager", name)
        for word in (line.strip() for line in out.splitlines()[1:]):
            if word.startswith("@"):
                names |= group(word)
            elif word and not word.startswith("#"):
                names.add(word)
        return names
    if not shutil.which("strace") or not shutil.which("systemd-analyze"):
        return None
    # @default is always permitted; what follows ~ is taken away.
    return (group("@system-service") | group("@default")) - \
        (group("@privileged") | group("@resources")) | group("@default")


class Daemon:
    """hotdeskd as the unit starts it: its user, no capability, a notify socket."""

    def __init__(self, trace=None):
        for path, mode in (("/run/hotdeskd", 0o750), ("/var/lib/hotdeskd", 0o700)):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, mode)
            shutil.chown(path, "hotdeskd", "hotdeskd")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/run/notify")
        self.notify.bind("/run/notify")
        os.chmod("/run/notify", 0o777)
        self.log = tempfile.TemporaryFile("w+")
        tracer = ["strace", "-f", "-qq", "-c", "-U", "name", "-o", trace] if trace else []
        self.process = subprocess.Popen(
            [*tracer, "setpriv", "--reuid=hotdeskd", "--regid=hotdeskd", "--init-groups",
             "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs",
             "/usr/sbin/hotdeskd", "-c", CONF],
            env={"PATH": "/usr/bin", "NOTIFY_SOCKET": "/run/notify"}, umask=0o077,
            stdout=self.log, stderr=subprocess.STDOUT)
        self.pid = None

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def wait_notified(self, word, seconds=20):
        end = time.monotonic() + seconds
        seen = []
        while time.monotonic() < end:
            self.notify.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                seen.append(self.notify.recv(4096).decode())
                if word in seen[-1].split("\n"):
                    return
            if self.process.poll() is not None:
                break
        raise Failed(f"no {word} from hotdeskd, got {seen}; log:\n{self.text()}")

    def signal(self, number):
        """To hotdeskd itself, which may be a child of strace."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{name}/exe") == "/usr/sbin/hotdeskd":
                    os.kill(int(name), number)

    def stop(self):
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            raise Failed(f"SIGTERM did not end hotdeskd; log:\n{self.text()}") from None
        finally:
            self.notify.close()


def check_files():
    for path in ("/usr/sbin/hotdeskd", "/usr/bin/hotdeskctl", UNIT, CONF,
                 "/usr/lib/sysusers.d/hotdeskd.conf", "/usr/lib/sysctl.d/60-hotdeskd.conf",
                 "/etc/fail2ban/jail.d/hotdeskd.conf", "/usr/share/man/man8/hotdeskd.8.gz",
                 "/usr/share/man/man1/hotdeskctl.1.gz",
                 "/usr/share/man/man5/hotdeskd.yaml.5.gz",
                 "/usr/share/hotdeskd/prompts/de/number.wav",
                 "/usr/share/doc/hotdeskd/copyright"):
        expect(os.path.isfile(path), f"{path} is there")
    expect("nologin" in run("getent", "passwd", "hotdeskd"), "the user has no login")
    expect(os.stat("/etc/hotdeskd").st_mode & 0o7777 == 0o750, "/etc/hotdeskd is 0750")
    expect(os.path.islink(LINK), "the service is enabled")
    verified = run("systemd-analyze", "verify", "--man=no", UNIT)
    expect("hotdeskd" not in verified, f"systemd-analyze verify has nothing to say {verified}")


def answer_to_options():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        message = OPTIONS.format(port=sock.getsockname()[1]).encode()
        for _ in range(5):
            sock.sendto(message, ("127.0.0.1", 5060))
            sock.settimeout(20)
            with contextlib.suppress(TimeoutError):
                return sock.recv(4096).decode().split("\r\n")[0]
    return "nothing"


def use_it(allowed):
    trace = "/tmp/calls" if allowed else None
    daemon = Daemon(trace)
    try:
        daemon.wait_notified("READY=1")
        expect(True, "hotdeskd is ready, as its own user without capabilities")
        expect(run("hotdeskctl", "status"), "hotdeskctl status answers")
        expect(run("hotdeskctl", "--json", "status").lstrip().startswith("{"), "and in JSON")
        answer = answer_to_options()
        expect(answer.startswith("SIP/2.0 "), f"OPTIONS is answered: {answer}")
        pathlib.Path("/root/directory.yaml").write_text(DIRECTORY)
        run("hotdeskctl", "import", "/root/directory.yaml")
        daemon.signal(signal.SIGHUP)
        daemon.wait_notified("READY=1")
        expect(True, "reloaded")
        expect(daemon.stop() == 0, "SIGTERM ends it with exit 0")
    except Failed as error:
        raise Failed(f"{error}\nlog of hotdeskd:\n{daemon.text()}") from None
    finally:
        daemon.signal(signal.SIGKILL)
    if allowed:
        rows = [line.split() for line in open(trace) if line.split()]
        # The summary also counts setpriv, which systemd's own start-up stands for.
        foreign = {"setgroups", "setresgid", "setresuid", "capset", "prctl", "setgid", "setuid"}
        used = {row[0] for row in rows if row[0].isidentifier()} - {"total", "syscall"}
        expect(used, f"{len(used)} system calls were used")
        bad = sorted(used - allowed - foreign)
        expect(not bad, f"the unit's SystemCallFilter permits them all {bad or ''}")


def inside(deb):
    root, upper = make_root(deb)
    upper = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(root)
    os.chdir("/")
    os.environ.update(DEBIAN_FRONTEND="noninteractive", LC_ALL="C",
                      PATH="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
    os.environ.pop("PYENV_VERSION", None)

    run("dpkg", "-i", ROOT_OF_DEB)
    expect(run("dpkg-query", "-W", "-f", "${db:Status-Status}", "hotdeskd") == "installed",
           "installed")
    check_files()
    expect(run("hotdeskd", "-V").strip(), "hotdeskd -V answers")
    run("hotdeskd", "-t", "-c", CONF)
    expect(True, "hotdeskd -t accepts the shipped configuration")
    use_it(allowed_calls())

    with open(CONF, "a", encoding="ascii") as file:
        file.write("# kept\n")
    run("dpkg", "-i", "--force-confold", ROOT_OF_DEB)
    expect("# kept" in pathlib.Path(CONF).read_text(), "an upgrade keeps the configuration")
    daemon = Daemon()
    try:
        daemon.wait_notified("READY=1")
        expect("Anna Berg" in run("hotdeskctl", "user", "list"), "and the directory")
    finally:
        daemon.stop()

    run("dpkg", "--remove", "hotdeskd")
    expect(not os.path.exists("/usr/sbin/hotdeskd") and os.path.exists(CONF)
           and os.path.exists("/var/lib/hotdeskd"), "removal keeps configuration and state")
    run("dpkg", "--purge", "hotdeskd")
    expect(not left_in(upper) and not os.path.exists("/run/hotdeskd"),
           f"purging leaves nothing behind {left_in(upper) or ''}")
    return 0


def left_in(upper):
    """What was written in this root and bears our name; whiteouts are not files."""
    left = []
    for folder, folders, files, _ in os.fwalk(".", dir_fd=upper):
        if folder != "./root" and not folder.startswith("./tmp"):
            left += [os.path.join(folder, name) for name in folders + files if "hotdeskd" in name
                     and not stat.S_ISCHR(os.stat(os.path.join(folder, name), dir_fd=upper,
                                              follow_symlinks=False).st_mode)]
    return left


def main():
    try:
        if sys.argv[1] == "--inside":
            return inside(sys.argv[2])
        return outside(sys.argv[1])
    except Failed as error:
        print("FAILED:", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
