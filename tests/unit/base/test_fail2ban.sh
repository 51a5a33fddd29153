#!/bin/sh
# Feeds the lines of security_lines ($1) to Debian's own fail2ban filter, as syslog and as journald
# would hand them over, and compares the addresses it would ban. 77: fail2ban is not installed.
set -eu

command -v fail2ban-regex >/dev/null || exit 77
[ -r /etc/fail2ban/filter.d/asterisk.conf ] || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$1" 2>"$dir/stderr"
expected='192.0.2.10
192.0.2.11
192.0.2.12
2001:db8::1'
stamp=$(date '+%b %e %H:%M:%S')

check() { # NAME PREFIX
	sed "s/^<[0-9]>/$2/" "$dir/stderr" >"$dir/$1.log"
	fail2ban-regex -o ip "$dir/$1.log" 'asterisk[_daemon=hotdeskd]' >"$dir/$1.out"
	got=$(sort "$dir/$1.out")
	if [ "$got" != "$expected" ]; then
		echo "$1: expected:" "$expected" "got:" "$got" >&2
		cat "$dir/$1.log" >&2
		exit 1
	fi
}

check syslog "$stamp host hotdeskd[32229]: "
check iso "$(date '+%Y-%m-%dT%H:%M:%S%:z') host hotdeskd[32229]: "
