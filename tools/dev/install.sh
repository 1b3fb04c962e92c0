#!/usr/bin/env bash
# install.sh PACKAGE...: installs them, as root, without starting a machine-wide PostgreSQL or Redis: Daler runs its own.
# What it lays down for that time it takes away again, and what the machine has of its own stays as it is.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d                                          # asked by package scripts before they start a service
no_cluster=/etc/postgresql-common/createcluster.d/daler-install.conf  # asked by PostgreSQL's before they make a cluster
laid_down=()

installed() {
	dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'
}

lay_down() { # FILE MODE, with what stands on standard input
	[ ! -e "$1" ] || return 0
	mkdir -p -- "${1%/*}"
	cat >"$1"
	chmod "$2" "$1"
	laid_down+=("$1")
}

take_away() {
	[ ${#laid_down[@]} = 0 ] || rm -f -- "${laid_down[@]}"
}

redis_was_there=no
! installed redis-server || redis_was_there=yes
trap take_away EXIT
lay_down "$policy" 755 <<<$'#!/bin/sh\nexit 101'
installed postgresql-common || lay_down "$no_cluster" 644 <<<'create_main_cluster = false'

apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
"${apt[@]}" update || true # an unreachable source among others is not the end; the installation tells
"${apt[@]}" install --no-install-recommends "$@"

# The package has set its server to start at the next boot. Nobody asked for that.
if [ "$redis_was_there" = no ] && installed redis-server && [ -d /run/systemd/system ]; then
	systemctl disable redis-server.service || true
fi
